"""From a file to a chart: models uploaded, runs made, results shown."""

from django.apps import AppConfig


class BenchmarksConfig(AppConfig):
    name = "benchmarks"
