"""From a file to a chart: models uploaded, runs made, results shown."""

from django.apps import AppConfig


class BenchmarksConfig(AppConfig):
    name = "benchmarks"

    def ready(self):
        """Tell the floor below how stored runs are counted; models can be imported only now."""
        from benchmarks.reference_use import count_runs_using
        from hardware.usage import register_run_counter

        register_run_counter(count_runs_using)
