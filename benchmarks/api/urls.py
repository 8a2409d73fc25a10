"""The addresses of models, versions, runs and of oneself below ``/api/v1/``."""

from django.urls import path

from benchmarks.api import (
    compare_views,
    countries,
    differences,
    history_views,
    input_views,
    me,
    model_views,
    run_views,
    sweep_views,
    whatif,
)

urlpatterns = [
    path("me/", me.Me.as_view(), name="api-me"),
    path("models/", model_views.OnnxModels.as_view(), name="api-models"),
    path("models/<uuid:pk>/", model_views.OnnxModelDetail.as_view(), name="api-model"),
    path(
        "models/<uuid:pk>/versions/",
        model_views.ModelVersions.as_view(),
        name="api-model-versions",
    ),
    path(
        "models/<uuid:pk>/history/", history_views.ModelHistory.as_view(), name="api-model-history"
    ),
    path("models/<uuid:pk>/inputs/", input_views.InputSets.as_view(), name="api-model-inputs"),
    path(
        "models/<uuid:pk>/inputs/<uuid:input_id>/",
        input_views.InputSetDetail.as_view(),
        name="api-model-input",
    ),
    path("versions/<uuid:pk>/", model_views.VersionDetail.as_view(), name="api-version"),
    path("compare/", compare_views.Compare.as_view(), name="api-compare"),
    path("runs/", run_views.Runs.as_view(), name="api-runs"),
    path("runs/<uuid:pk>/", run_views.RunDetail.as_view(), name="api-run"),
    path("runs/<uuid:pk>/job/", run_views.RunJob.as_view(), name="api-run-job"),
    path("runs/<uuid:pk>/cancel/", run_views.RunCancel.as_view(), name="api-run-cancel"),
    path("runs/<uuid:pk>/countries/", countries.RunCountries.as_view(), name="api-run-countries"),
    path(
        "runs/<uuid:pk>/difference/",
        differences.RunDifference.as_view(),
        name="api-run-difference",
    ),
    path("runs/<uuid:pk>/whatif/", whatif.RunWhatIf.as_view(), name="api-run-whatif"),
    path("sweeps/", sweep_views.Sweeps.as_view(), name="api-sweeps"),
    path("sweeps/<uuid:pk>/", sweep_views.SweepDetail.as_view(), name="api-sweep"),
    path("sweeps/<uuid:pk>/cancel/", sweep_views.SweepCancel.as_view(), name="api-sweep-cancel"),
]
