"""Many finished runs at once: copies of one, each with a moment and a latency of its own."""

from accounts.ids import new_id
from benchmarks.models import Estimate, Measurement, Run

MOMENTS = ("queued_at", "turn_at", "rung_at", "started_at", "finished_at")
LATENCIES = ("mean_s", "median_s", "ci95_low_s", "ci95_high_s")
FIGURES = ("latency_s", "cpu_energy_kwh", "ram_energy_kwh", "gpu_energy_kwh", "energy_kwh")
GRAMS = ("emission_g", "low_g", "high_g")


def copies_of(run, measured):
    """Store a run like the finished ``run`` for each (moment, latency in seconds)."""
    run = Run.objects.with_results().get(pk=run.pk)
    copies = [_copy_of(run, moment, latency_s) for moment, latency_s in measured]
    if not copies:
        return []
    for model, rows in zip((Run, Measurement, Estimate), zip(*copies, strict=True), strict=True):
        model.objects.bulk_create(rows, batch_size=500)
    return [one for one, _, _ in copies]


def _copy_of(run, moment, latency_s):
    ratio, pk = latency_s / run.latency_s, new_id()
    copy = Run(**_values(run) | dict.fromkeys(MOMENTS, moment) | {"id": pk, "latency_s": latency_s})
    measurement = _values(run.measurement) | {"run_id": pk}
    estimate = _values(run.estimate) | {"run_id": pk, "id": new_id()}
    for values, names in ((measurement, LATENCIES), (estimate, (*FIGURES, *GRAMS))):
        values |= {name: values[name] * ratio for name in names}
    return copy, Measurement(**measurement), Estimate(**estimate)


def _values(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
