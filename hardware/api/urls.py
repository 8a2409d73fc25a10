"""The addresses of zones, processors and profiles below ``/api/v1/``."""

from django.urls import path, re_path

from hardware.api import views

urlpatterns = [
    path("zones/", views.Zones.as_view(), name="api-zones"),
    re_path(r"^zones/(?P<code>[A-Za-z0-9:_-]+)/$", views.ZoneDetail.as_view(), name="api-zone"),
    path("processors/", views.Processors.as_view(), name="api-processors"),
    path("processors/match/", views.ProcessorMatch.as_view(), name="api-processor-match"),
    path("processors/<uuid:pk>/", views.ProcessorDetail.as_view(), name="api-processor"),
    path("ram-models/", views.RamModels.as_view(), name="api-ram-models"),
    path("pue/", views.PueFigures.as_view(), name="api-pue"),
    path("embodied/", views.EmbodiedFigures.as_view(), name="api-embodied"),
    path("equivalences/", views.Equivalences.as_view(), name="api-equivalences"),
    path("profiles/", views.Profiles.as_view(), name="api-profiles"),
    path("profiles/<uuid:pk>/", views.ProfileDetail.as_view(), name="api-profile"),
]
