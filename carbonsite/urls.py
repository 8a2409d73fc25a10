"""Every address of the site."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from carbonsite import health

admin.site.site_header = admin.site.site_title = "carbonsite"
admin.site.index_title = "Reference tables and results"
# The admin's own log-in page knows neither rate limits nor second factors.
admin.site.login = secure_admin_login(admin.site.login)

handler500 = "carbonsite.outage.answer_fault"
urlpatterns = [
    path("", include("benchmarks.urls")),
    path("", include("hardware.urls")),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("api/", include("carbonsite.api")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
