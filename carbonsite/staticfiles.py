"""Which static files are served, and how they get their long-lived names."""

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):
    """Hashed, compressed files, in which ES modules import each other by hashed name too."""

    support_js_module_import_aggregation = True


class ChosenStaticFiles(StaticFilesConfig):
    """Django's static files without those of other packages that no page of ours asks for."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        # Their comments name imports that do not exist, on which the storage above fails.
        "django_htmx/ext/*",
        "django_htmx/ht*-4*",
        # The documentation page is Swagger's.
        "drf_spectacular_sidecar/redoc/*",
    ]
