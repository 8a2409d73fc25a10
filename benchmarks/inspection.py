"""The second step: read an uploaded file in a child, without trusting or running it."""

import tempfile
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

from django.db.models import F
from django.db.models.functions import Now

from benchmarks import cage
from benchmarks.folders import work_folder
from benchmarks.models import ModelVersion
from benchmarks.stored_files import UnusableFile, paths_of
from runner import launch
from runner.job import Job
from runner.results import Failure, InspectionResult

RING_AGAIN_AFTER = timedelta(seconds=60)
MAX_ATTEMPTS = 3
# Endings that say nothing of the file.
NOT_THE_FILES_FAULT = {"killed", "no_result"}
GAVE_UP = (
    "The file could not be inspected: reading it failed three times. "
    "Check that it is a valid ONNX model, then upload it again."
)


def inspect(version_id) -> None:
    """Read the version's file and record it as ready or rejected, once."""
    version = ModelVersion.objects.filter(pk=version_id, status="inspecting").first()
    if version is None:
        return
    if version.inspection_attempts >= MAX_ATTEMPTS:
        _reject(version, code="gave_up", reason=GAVE_UP)
        return
    # Counted before the reading begins: a file that kills its reader must not be read for ever.
    ModelVersion.objects.filter(pk=version.pk).update(
        inspection_attempts=F("inspection_attempts") + 1, inspection_rung_at=Now()
    )
    outcome = _read(version)
    if isinstance(outcome, Failure) and outcome.code in NOT_THE_FILES_FAULT:
        # The sweep rings again, until the attempts are used up.
        return
    if isinstance(outcome, Failure):
        _reject(version, code=outcome.code, reason=outcome.message)
    else:
        _accept(version, outcome)


def unanswered() -> list:
    """Return the ids of versions whose message was lost, noting that they are rung again."""
    waiting = ModelVersion.objects.uninspected(waiting_longer_than=RING_AGAIN_AFTER)
    version_ids = list(waiting.values_list("pk", flat=True)[:20])
    ModelVersion.objects.filter(pk__in=version_ids).update(inspection_rung_at=Now())
    return version_ids


def _read(version: ModelVersion) -> InspectionResult | Failure:
    try:
        with (
            paths_of(version) as paths,
            tempfile.TemporaryDirectory(prefix="inspect-", dir=work_folder()) as folder,
        ):
            job = cage.as_the_site_wants(Job(kind="inspect", **paths))
            outcome = launch.run(job, Path(folder))
            if isinstance(outcome, Failure) and outcome.code == "crashed":
                # ONNX's inference of shapes, which only counting needs, crashes on some models.
                outcome = launch.run(replace(job, counts_macs=False), Path(folder))
            return outcome
    except UnusableFile as error:
        return Failure("missing_file", str(error))


def _reject(version: ModelVersion, *, code: str, reason: str) -> None:
    ModelVersion.objects.filter(pk=version.pk, status="inspecting").update(
        status=ModelVersion.Status.REJECTED, rejection_code=code, rejection_reason=reason
    )


def _accept(version: ModelVersion, found: InspectionResult) -> None:
    ModelVersion.objects.filter(pk=version.pk, status="inspecting").update(
        status=ModelVersion.Status.READY,
        opset=found.opset,
        ir_version=found.ir_version,
        producer=found.producer,
        parameter_count=found.parameter_count,
        mac_count=found.mac_count,
        flop_count=found.flop_count,
        node_count=found.node_count,
        operators=found.operators,
        uncounted_operators=list(found.uncounted_operators),
        inputs=[asdict(one) for one in found.inputs],
        outputs=[asdict(one) for one in found.outputs],
    )
