"""Every setting of the site, each driven by the environment (see .env.example)."""

import os
from pathlib import Path

import environ

# onnxruntime's Linux wheels send telemetry unless this is set before their first import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from csp.constants import NONE, SELF

from carbonsite.secret_key import read_or_create_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env")

DATA_DIR = Path(env.str("CARBONSITE_DATA", default=str(BASE_DIR / "var"))).resolve()
# SQLite makes its file readable by all: whoever else is on the machine stays outside.
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
REDIS_URL = env.str("REDIS_URL", default="")

# --- security -----------------------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY", default="") or read_or_create_secret_key(DATA_DIR / "secret_key")
DEBUG = env.bool("DEBUG", default=False)
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[]) or LOOPBACK_HOSTS
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# HTTPS=true behind a proxy that ends TLS and sets X-Forwarded-Proto.
HTTPS = env.bool("HTTPS", default=False)
PROXY_COUNT = env.int("PROXY_COUNT", default=0)
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- applications -------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "carbonsite.staticfiles.ChosenStaticFiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "accounts",
    "hardware",
    "benchmarks",
    "carbonsite",
]
MIDDLEWARE = [
    "carbonsite.logs.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "carbonsite.private_answers.PrivateAnswerMiddleware",
    "benchmarks.received.UploadClosingMiddleware",
    "carbonsite.problems.ApiProblemMiddleware",
    "carbonsite.foreign_text.NulRefusingMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "carbonsite.slow_uploads.SlowUploadMiddleware",
    "accounts.write_limit.WriteLimitMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "carbonsite.admin_requests.AdminRequestMiddleware",
]
ROOT_URLCONF = "carbonsite.urls"
WSGI_APPLICATION = "carbonsite.wsgi.application"
ASGI_APPLICATION = "carbonsite.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- database, cache, broker --------------------------------------------------------------------
DATABASES = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'carbonsite.sqlite3'}")
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # A file, as in use: one in memory locks whole tables between threads, without waiting.
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
else:
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Shared between processes, because throttles and log-in limits count in it.
CACHES = {
    "default": {
        "BACKEND": "carbonsite.cache.SteadyRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": DATA_DIR / "cache",
        "OPTIONS": {"MAX_ENTRIES": 5000},
    }
}

# Without Redis, messages travel through a folder (carbonsite/broker.py).
CELERY_BROKER_URL = REDIS_URL or "folder://"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "socket_timeout": 5,
        "socket_connect_timeout": 5,
        # Longer than any task: a shorter one would deliver a message again while it runs.
        "visibility_timeout": 6 * 3600,
    }
    if REDIS_URL
    else {"folder": str(DATA_DIR / "broker"), "polling_interval": 0.05}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"benchmarks.tasks.measure_run": {"queue": "measure"}}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "carbonsite.beat:SteadyScheduler"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "benchmarks.tasks.sweep", "schedule": 15.0},
    "prune": {"task": "carbonsite.tasks.prune", "schedule": 24 * 3600.0},
}

# --- accounts -----------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"signup": "accounts.forms.SignupForm"}
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[carbonsite] "
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_CHANGE_EMAIL = True
# Nobody learns from a form which addresses have an account, though mail is not verified first.
ACCOUNT_PREVENT_ENUMERATION = "strict"
# Else everybody behind a proxy shares the failed log-ins of its address.
ALLAUTH_TRUSTED_PROXY_COUNT = PROXY_COUNT
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "carbonsite"
# A code typed just before the half-minute changes still counts.
MFA_TOTP_TOLERANCE = 1
# Browsers allow passkeys over plain HTTP on localhost only; the library wants to be told.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
# A page waits for its mail to be taken, and no longer.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="carbonsite@localhost")

# --- files --------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
MEDIA_ROOT = DATA_DIR / "models"
# In a store that speaks S3, workers on other machines reach the models too. Its keys come from
# where every client of it looks: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a file, a role.
S3_BUCKET = env.str("S3_BUCKET", default="")
S3_STORAGE = {
    "BACKEND": "storages.backends.s3.S3Storage",
    "OPTIONS": {
        "bucket_name": S3_BUCKET,
        "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,
        "region_name": env.str("S3_REGION", default="") or None,
        "location": env.str("S3_PREFIX", default=""),
        "default_acl": None,
        # A file's name is the hash of its bytes: one that is there already is the same.
        "file_overwrite": True,
    },
}
STORAGES = {
    "default": S3_STORAGE
    if S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "carbonsite.staticfiles.ModuleManifestStorage"},
}
FILE_UPLOAD_HANDLERS = ["benchmarks.received.HashingUploadHandler"]
FILE_UPLOAD_PERMISSIONS = 0o600
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", default=8 * 1024**3)
# What the web server waits for a body (carbonsite.web_worker).
UPLOAD_SLOWEST_BYTES_PER_S = env.int("UPLOAD_SLOWEST_BYTES_PER_S", default=32 * 1024)
UPLOAD_GRACE_S = env.float("UPLOAD_GRACE_S", default=60.0)
USER_QUOTA_BYTES = env.int("USER_QUOTA_BYTES", default=20 * 1024**3)
USER_QUEUED_RUN_LIMIT = env.int("USER_QUEUED_RUN_LIMIT", default=50)
# Seconds of timed inferences instead of the effort's; only tests are in such a hurry.
MEASURING_S = None
# A stranger is anybody who reaches the site from another machine.
REQUIRE_SANDBOX = env.bool(
    "CARBONSITE_REQUIRE_SANDBOX", default=not DEBUG and ALLOWED_HOSTS != LOOPBACK_HOSTS
)
# The address space of the process that reads or measures a model (runner.limits.MemoryRule).
CHILD_BASE_MEMORY_BYTES = env.int("CHILD_BASE_MEMORY_BYTES", default=1024**3)
CHILD_MEMORY_PER_FILE_BYTE = env.float("CHILD_MEMORY_PER_FILE_BYTE", default=4.0)
# For a file with decision trees: onnxruntime 1.32 needs 12 to 14, measured on forests of 0.2 to 1
# million nodes.
CHILD_MEMORY_PER_FOREST_BYTE = env.float("CHILD_MEMORY_PER_FOREST_BYTE", default=16.0)
CHILD_MEMORY_PER_THREAD_BYTES = env.int("CHILD_MEMORY_PER_THREAD_BYTES", default=64 * 1024**2)
AUDIT_LOG_DAYS = env.int("AUDIT_LOG_DAYS", default=365)
FREE_DISK_FLOOR_BYTES = env.int("FREE_DISK_FLOOR_BYTES", default=1024**3)

# --- API ----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.ScopedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["carbonsite.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "carbonsite.pagination.LinkedPagePagination",
    "PAGE_SIZE": 25,
    "DEFAULT_SCHEMA_CLASS": "carbonsite.api_schema.ProblemAutoSchema",
    "EXCEPTION_HANDLER": "carbonsite.problems.problem_response",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
        "accounts.write_limit.WriteRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env.str("API_RATE_ANONYMOUS", default="120/min"),
        "user": env.str("API_RATE_USER", default="1200/min"),
        "tokens": env.str("API_RATE_TOKENS", default="10/min"),
        # Of one user, on the pages and over the API together.
        "writes": env.str("RATE_WRITES", default="600/min"),
    },
    "NUM_PROXIES": PROXY_COUNT,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "carbonsite",
    "DESCRIPTION": "Upload an ONNX model, get its latency, energy and grams of CO2.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # Without this the page of a public site sends its schema's address to a validator outside.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "ENUM_NAME_OVERRIDES": {
        "ZoneKindEnum": "hardware.models.Zone.Kind",
        "ProcessorKindEnum": "hardware.models.Processor.Kind",
        "RamModelKindEnum": "hardware.models.RamModel.Kind",
        "EmbodiedKindEnum": "hardware.models.EmbodiedFigure.Kind",
        "VersionStatusEnum": "benchmarks.models.ModelVersion.Status",
        "RunStatusEnum": "benchmarks.models.Run.Status",
    },
}

# --- everything else ----------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("LOG_FORMAT", default="line")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "carbonsite.logs.RequestIdFilter"}},
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s",
            "rename_fields": {"asctime": "at", "levelname": "level", "name": "logger"},
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["request_id"],
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "carbonsite.requests": {
            "level": "INFO" if env.bool("LOG_REQUESTS", default=False) else "WARNING"
        },
        # Celery tells of each message; what happens to a run, benchmarks.execution tells.
        "celery": {"level": "WARNING"},
    },
}
