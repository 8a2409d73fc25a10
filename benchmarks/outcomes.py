"""The fifth step: what was measured and what is assumed become an estimate, stored once."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from benchmarks.circumstances import Circumstances, digest_of
from benchmarks.models import Estimate, Evaluation, Measurement, ModelVersion, OnnxModel, Run
from footprint.embodied import embodied_share_g
from footprint.estimate import estimate
from footprint.power_models import emission_range
from footprint.proportion import proportion_of
from footprint.ram import Memory, RamModel
from hardware.assumptions import IntensityOrigin, SourcedAssumptions
from hardware.models import CarbonIntensity
from hardware.published import published_ram_models
from runner.composition import Composition
from runner.evaluated import EvaluationResult
from runner.results import Failure, MeasurementResult

NOT_PROFILED = Failure("not_profiled", "Nobody looked into this run.")
NOT_RISKED = Failure(
    "not_risked",
    "The worker was lost twice while it had this run in hand, so on the third try only what was "
    "asked for was measured. Run it again to see where the time goes.",
)
PLACE_FIELDS = ("onnx_model", "circumstances", "latency_s")
PLACED_AT_ONCE = 500


def store_estimate(run: Run, measurement: Measurement) -> Estimate:
    """Store and return the energy and emission of one inference, by what the run assumed.

    With it the run takes its place in its model's history.
    """
    assumed = SourcedAssumptions.from_json(run.assumptions)
    place_in_history([(run, measurement, run.assumptions)])
    return Estimate.objects.create(
        run=run,
        # Whoever looks after the tables may have deleted the row since.
        intensity=CarbonIntensity.objects.filter(pk=assumed.intensity.id).first(),
        **estimate_values(assumed, measurement),
    )


def place_in_history(results: Iterable[tuple[Run, Measurement, dict]]) -> None:
    """Note under what each run came to its figure.

    Each comes with its measurement and with the assumptions of the estimate that stands.
    """
    known: dict[tuple, Circumstances] = {}
    runs = []
    for run, measurement, assumptions in results:
        told = _told(run, measurement, assumptions)
        digest = digest_of({**told, "profile": str(run.profile_id or "")})
        key = (run.version_id, digest)
        if key not in known:
            known[key], _ = Circumstances.objects.get_or_create(
                version_id=run.version_id,
                digest=digest,
                defaults={
                    "onnx_model_id": run.version.onnx_model_id,
                    "profile_id": run.profile_id,
                    **told,
                },
            )
        run.onnx_model_id = run.version.onnx_model_id
        run.circumstances, run.latency_s = known[key], measurement.mean_s
        runs.append(run)
    Run.objects.bulk_update(runs, PLACE_FIELDS, batch_size=PLACED_AT_ONCE)


def _told(run: Run, measurement: Measurement, assumptions: dict) -> dict:
    return {
        "profile_name": run.profile_name,
        "batch_size": run.batch_size,
        "intra_op_threads": run.intra_op_threads,
        "input_choices": run.input_choices,
        "values_name": run.values_name,
        "values_sha256": run.values_sha256,
        "cpu": measurement.machine.get("cpu") or "",
        "machine_fingerprint": measurement.machine_fingerprint,
        "onnxruntime": measurement.software.get("onnxruntime") or "",
        "software_fingerprint": measurement.software_fingerprint,
        "assumptions": assumptions,
    }


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


def store_evaluation(run: Run, found: EvaluationResult | Failure) -> None:
    """Store what came of the evaluation set; a result becomes the accuracy of the version."""
    shared = {"run": run, "values_name": run.values_name, "values_sha256": run.values_sha256}
    if isinstance(found, Failure):
        Evaluation.objects.create(**shared, failure_code=found.code, failure_message=found.message)
        return
    accuracy = proportion_of(found.correct_count, found.item_count)
    reading = asdict(found)
    evaluation = Evaluation.objects.create(
        **shared,
        item_count=reading.pop("item_count"),
        correct_count=reading.pop("correct_count"),
        accuracy_ratio=accuracy.ratio,
        ci95_low_ratio=accuracy.low,
        ci95_high_ratio=accuracy.high,
        reading=reading,
    )
    ModelVersion.objects.filter(pk=run.version_id).update(evaluation=evaluation)


def record_result(
    run_id,
    claim_token,
    result: MeasurementResult,
    profile: Composition | Failure = NOT_PROFILED,
    evaluation: EvaluationResult | Failure | None = None,
) -> bool:
    """Store what the child measured, under the claim; False when the claim is lost.

    The run, its measurement and its estimate appear together or not at all. ``profile`` is
    what the model is made of, or why that is not known. ``evaluation`` is how right its answers
    are, or why that is not known; None where nobody asked.
    """
    with transaction.atomic():
        if not _end(run_id, claim_token, status=Run.Status.DONE):
            return False
        run = Run.objects.get(pk=run_id)
        store_estimate(run, _store_measurement(run, result, profile))
        if evaluation is not None:
            store_evaluation(run, evaluation)
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
