"""What the API says of a run: stored figures as they are, null for what is not known."""

from benchmarks.api.accuracy_serializers import evaluation_shape
from benchmarks.api.estimate_shape import judged
from benchmarks.models import Estimate, Measurement, Run
from benchmarks.whose_values import are_told_to, told_of
from hardware.assumptions import SourcedAssumptions

LATENCY_FIELDS = (
    "mean_s",
    "median_s",
    "stdev_s",
    "min_s",
    "max_s",
    "p90_s",
    "p95_s",
    "p99_s",
    "ci95_low_s",
    "ci95_high_s",
    "sample_count",
    "quiet_ratio",
    "is_noisy",
)
MEASURED_FIELDS = (
    "throughput_per_s",
    "load_s",
    "first_call_s",
    "session_memory_bytes",
    "peak_memory_bytes",
    "cpu_usage_ratio",
    "cpu_time_per_inference_s",
)


def run_shape(run: Run, user) -> dict:
    """Return the plain values of ``run``, taken ``with_results()``, as ``user`` is told them."""
    measurement = getattr(run, "measurement", None)
    estimate, is_told = run.estimate, are_told_to(user, run)
    return {
        **_course(run, is_told=is_told),
        **_measured(measurement),
        **_assumed(run),
        "energy": _energy(estimate),
        "emission_g": estimate.emission_g if estimate else None,
        "range": _range(estimate),
        **judged(run),
        "evaluation": evaluation_shape(run, is_told=is_told),
        "metered": _metered(measurement),
        "sandbox": (measurement.sandbox or None) if measurement else None,
        "machine": measurement.machine if measurement else None,
        "software": measurement.software if measurement else None,
    }


def _course(run: Run, *, is_told: bool) -> dict:
    return {
        "id": run.pk,
        "status": run.status,
        "failure": _failure(run),
        "version": run.version_id,
        "profile": run.profile_id,
        "sweep": run.sweep_id,
        "settings": {
            "batch_size": run.batch_size,
            "intra_op_threads": run.intra_op_threads,
            "effort": run.effort,
            "inputs": run.input_choices,
            "values": run.input_set_id,
            **told_of(run, is_told=is_told),
            "measures_accuracy": run.measures_accuracy,
            "answer_output": run.answer_output or None,
        },
        "queued_at": run.queued_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "attempts": run.attempts,
        "progress": _progress(run),
    }


def _progress(run: Run) -> dict | None:
    if run.status != Run.Status.MEASURING:
        return None
    return {"phase": run.phase, "sample_count": run.sample_count}


def _failure(run: Run) -> dict | None:
    if run.status != Run.Status.FAILED:
        return None
    return {"code": run.failure_code, "message": run.failure_message}


def _measured(measurement: Measurement | None) -> dict:
    if measurement is None:
        return dict.fromkeys(("latency", "as_measured", "timing", *MEASURED_FIELDS))
    return {
        "latency": {name: getattr(measurement, name) for name in LATENCY_FIELDS},
        "as_measured": measurement.as_measured,
        **{name: getattr(measurement, name) for name in MEASURED_FIELDS},
        "timing": measurement.timing or None,
    }


def _assumed(run: Run) -> dict:
    """Return what the run's figures rest on; known before its result, other after re-pricing."""
    estimate = run.estimate
    assumed = estimate.assumed if estimate else SourcedAssumptions.from_json(run.assumptions)
    power, origin = assumed.numbers.power, assumed.intensity
    return {
        "power": {
            "cpu_w": power.cpu_w,
            "ram_w": power.ram_w,
            "gpu_w": power.gpu_w,
            "total_w": power.total_w,
        },
        "pue": assumed.numbers.pue,
        "pue_source": str(assumed.pue_origin) if assumed.pue_origin else None,
        "intensity": {
            "zone": origin.zone,
            "year": origin.year,
            "g_per_kwh": assumed.numbers.intensity_g_per_kwh,
            "source": origin.source,
            "measure": origin.measure,
            "is_fallback": origin.is_fallback,
        },
    }


def _energy(estimate: Estimate | None) -> dict | None:
    if estimate is None:
        return None
    return {
        "cpu_kwh": estimate.cpu_energy_kwh,
        "ram_kwh": estimate.ram_energy_kwh,
        "gpu_kwh": estimate.gpu_energy_kwh,
        "total_kwh": estimate.energy_kwh,
    }


def _range(estimate: Estimate | None) -> dict | None:
    if estimate is None:
        return None
    return {
        "low_g": estimate.low_g,
        "high_g": estimate.high_g,
        "models": estimate.power_models,
    }


def _metered(measurement: Measurement | None) -> dict | None:
    if measurement is None:
        return None
    return {"meters": measurement.metered.get("meters", [])}
