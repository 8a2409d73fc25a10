"""The fifth step: what was measured and what is assumed become an estimate, stored once."""

from collections.abc import Sequence
from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from benchmarks.models import Estimate, Measurement, OnnxModel, Run
from footprint.embodied import embodied_share_g
from footprint.estimate import estimate
from footprint.power_models import emission_range
from footprint.ram import Memory, RamModel
from hardware.assumptions import IntensityOrigin, SourcedAssumptions
from hardware.models import CarbonIntensity
from hardware.published import published_ram_models
from runner.composition import Composition
from runner.results import Failure, MeasurementResult

NOT_PROFILED = Failure("not_profiled", "Nobody looked into this run.")


def store_estimate(run: Run, measurement: Measurement) -> Estimate:
    """Store and return the energy and emission of one inference, by what the run assumed."""
    assumed = SourcedAssumptions.from_json(run.assumptions)
    return Estimate.objects.create(
        run=run,
        # Whoever looks after the tables may have deleted the row since.
        intensity=CarbonIntensity.objects.filter(pk=assumed.intensity.id).first(),
        **estimate_values(assumed, measurement),
    )


def estimate_values(
    assumed: SourcedAssumptions,
    measurement: Measurement,
    ram_models: Sequence[RamModel] | None = None,
) -> dict:
    """Return the columns of the estimate that ``measurement`` gives under ``assumed``.

    All but the run, and the row of the intensity, which may be gone. The RAM models of the
    table are read unless they are given.
    """
    models = published_ram_models() if ram_models is None else ram_models
    answer = estimate(assumed.numbers, measurement.mean_s)
    spread = emission_range(
        assumed.numbers,
        measurement.mean_s,
        cpu_usage_ratio=measurement.machine_usage_ratio,
        memory=Memory(assumed.ram_gb, models) if assumed.ram_gb else None,
        recent=assumed.recent,
    )
    return {
        **asdict(assumed.numbers),
        **_intensity_columns(assumed.intensity),
        "latency_s": measurement.mean_s,
        "cpu_energy_kwh": answer.energy.cpu_kwh,
        "ram_energy_kwh": answer.energy.ram_kwh,
        "gpu_energy_kwh": answer.energy.gpu_kwh,
        "energy_kwh": answer.energy.total_kwh,
        "emission_g": answer.emission_g,
        "low_g": spread.low_g,
        "high_g": spread.high_g,
        "power_models": [asdict(one) for one in spread.models],
        "embodied_g": embodied_g(assumed, measurement.mean_s),
    }


def embodied_g(assumed: SourcedAssumptions, latency_s: float) -> float | None:
    """Return the share of making the machine that one inference carries; None if not known."""
    if not assumed.knows_embodied:
        return None
    return embodied_share_g(
        embodied_kg=assumed.embodied_kg_co2e,
        lifetime_years=assumed.lifetime_years,
        duration_s=latency_s,
    )


def _intensity_columns(origin: IntensityOrigin) -> dict:
    return {
        "intensity_zone": origin.zone,
        "intensity_zone_name": origin.zone_name,
        "intensity_year": origin.year,
        "intensity_source": origin.source,
        "intensity_measure": origin.measure,
        "is_intensity_fallback": origin.is_fallback,
    }


def record_result(
    run_id,
    claim_token,
    result: MeasurementResult,
    profile: Composition | Failure = NOT_PROFILED,
) -> bool:
    """Store what the child measured, under the claim; False when the claim is lost.

    The run, its measurement and its estimate appear together or not at all. ``profile`` is
    what the model is made of, or why that is not known.
    """
    with transaction.atomic():
        if not _end(run_id, claim_token, status=Run.Status.DONE):
            return False
        run = Run.objects.get(pk=run_id)
        store_estimate(run, _store_measurement(run, result, profile))
        OnnxModel.objects.filter(versions=run.version_id).update(updated_at=timezone.now())
        return True


def record_failure(run_id, claim_token, *, code: str, message: str) -> bool:
    """Store why the run has no result, under the claim; False when the claim is lost."""
    return _end(
        run_id,
        claim_token,
        status=Run.Status.FAILED,
        failure_code=code,
        failure_message=message,
    )


def _store_measurement(
    run: Run, result: MeasurementResult, profile: Composition | Failure
) -> Measurement:
    found = asdict(result)
    is_known = isinstance(profile, Composition)
    return Measurement.objects.create(
        run=run,
        **found.pop("latency"),
        machine_fingerprint=result.machine.fingerprint,
        software_fingerprint=result.software.fingerprint,
        inputs_used=found.pop("inputs"),
        outputs_seen=found.pop("outputs"),
        composition=asdict(profile) if is_known else {},
        profiling_note="" if is_known else profile.message,
        **found,
    )


def _end(run_id, claim_token, **values) -> bool:
    return (
        Run.objects.held(run_id, claim_token).update(
            finished_at=timezone.now(), phase="", claim_token=None, lease_expires_at=None, **values
        )
        == 1
    )
