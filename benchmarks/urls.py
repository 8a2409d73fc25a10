"""The addresses of models, runs and the home page."""

from django.urls import path

from benchmarks.views import (
    compare,
    countries,
    history,
    home,
    inputs,
    models,
    reproduction,
    runs,
    sweeps,
    uploads,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("compare/", compare.compare_page, name="compare"),
    path("compare.csv", compare.compare_file, name="compare-csv"),
    path("models/", models.model_list, name="models"),
    path("models/new/", uploads.model_new, name="model-new"),
    path("models/sample/", uploads.sample_model, name="sample-model"),
    path("models/<uuid:pk>/", history.model_page, name="model"),
    path("models/<uuid:pk>/edit/", models.model_edit, name="model-edit"),
    path("models/<uuid:pk>/delete/", models.model_delete, name="model-delete"),
    path("models/<uuid:pk>/versions/new/", uploads.version_new, name="version-new"),
    path("models/<uuid:pk>/run/", runs.run_new, name="run-new"),
    path("models/<uuid:pk>/inputs/", inputs.model_inputs, name="model-inputs"),
    path("models/<uuid:pk>/inputs/forget/", inputs.inputs_forget, name="model-inputs-forget"),
    path("models/<uuid:pk>/inputs/new/", inputs.input_set_new, name="input-set-new"),
    path(
        "models/<uuid:pk>/inputs/<uuid:set_pk>/file/", inputs.input_set_file, name="input-set-file"
    ),
    path(
        "models/<uuid:pk>/inputs/<uuid:set_pk>/delete/",
        inputs.input_set_delete,
        name="input-set-delete",
    ),
    path("models/<uuid:pk>/history/", history.history_chart, name="model-history"),
    path("models/<uuid:pk>/history.json", history.history_data, name="model-history-data"),
    path("models/<uuid:pk>/history.csv", history.history_file, name="model-history-csv"),
    path("versions/<uuid:pk>/edit/", models.version_edit, name="version-edit"),
    path(
        "versions/<uuid:pk>/accuracy/forget/",
        models.version_accuracy_forget,
        name="version-accuracy-forget",
    ),
    path("versions/<uuid:pk>/status/", uploads.version_status, name="version-status"),
    path("runs/", runs.run_list, name="runs"),
    path("runs/sweep/new/", sweeps.sweep_new, name="sweep-new"),
    path("sweeps/<uuid:pk>/", sweeps.sweep_page, name="sweep"),
    path("sweeps/<uuid:pk>/status/", sweeps.sweep_status, name="sweep-status"),
    path("sweeps/<uuid:pk>/cancel/", sweeps.sweep_cancel, name="sweep-cancel"),
    path("sweeps/<uuid:pk>/again/", sweeps.sweep_again, name="sweep-again"),
    path("sweeps/<uuid:pk>/sweep.csv", sweeps.sweep_file, name="sweep-csv"),
    path("runs/<uuid:pk>/", runs.run_page, name="run"),
    path("runs/<uuid:pk>/job.json", reproduction.run_job, name="run-job"),
    path("runs/<uuid:pk>/bundle.zip", reproduction.run_bundle, name="run-bundle"),
    path("runs/<uuid:pk>/status/", runs.run_status, name="run-status"),
    path("runs/<uuid:pk>/cancel/", runs.run_cancel, name="run-cancel"),
    path("runs/<uuid:pk>/again/", runs.run_again, name="run-again"),
    path("runs/<uuid:pk>/countries/", countries.countries, name="run-countries"),
    path("runs/<uuid:pk>/countries.csv", countries.countries_file, name="run-countries-csv"),
]
