"""The addresses of machines and of the reference tables."""

from django.urls import path, re_path

from hardware.views import profiles, reference, searches

urlpatterns = [
    path("hardware/", profiles.profile_list, name="profiles"),
    path("hardware/new/", profiles.profile_new, name="profile-new"),
    path("hardware/processors/", searches.processor_search, name="processor-search"),
    path("hardware/zones/", searches.zone_search, name="zone-search"),
    path("hardware/<uuid:pk>/", profiles.profile_detail, name="profile"),
    path("hardware/<uuid:pk>/edit/", profiles.profile_edit, name="profile-edit"),
    path("hardware/<uuid:pk>/delete/", profiles.profile_delete, name="profile-delete"),
    path("reference/", reference.reference, name="reference"),
    path("reference/match/", reference.machine_match, name="machine-match"),
    re_path(r"^reference/(?P<slug>[a-z-]+)\.csv$", reference.table_csv, name="reference-csv"),
    re_path(r"^reference/zones/(?P<code>[\w:.-]+)/$", reference.zone_detail, name="zone"),
    path("reference/processors/<uuid:pk>/", reference.processor_detail, name="processor"),
]
