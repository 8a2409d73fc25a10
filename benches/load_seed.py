"""What a site holds when it is read under load: people who are signed in, and a long history.

Called in the site's own process: ``manage.py shell -c "from benches.load_seed import seed; ..."``
"""

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from benchmarks.models import Estimate, Measurement, OnnxModel, Run
from hardware.models import HardwareProfile
from tests.attacks.insider import new_user
from tests.people import a_done_run, a_model, a_profile, a_ready_version, owner

VERSION_COUNT = 10
DAYS = 180


def seed(*, reader_count: int, model_count: int, run_count: int) -> None:
    """Make public models with so many runs in all, and readers; print them as a line of JSON."""
    profile = a_profile(owner())
    models = [
        a_model(owner(), name=f"Read by all {n}", visibility="public") for n in range(model_count)
    ]
    first = [_first_runs(onnx_model, profile) for onnx_model in models]
    for runs in first:
        _repeat(runs, run_count // model_count)
    known = {
        "models": [str(onnx_model.pk) for onnx_model in models],
        "runs": [str(runs[-1].pk) for runs in first],
        "run_count": Run.objects.done().count(),
        "readers": [new_user(name=f"reader-{n}") for n in range(reader_count)],
    }
    print(json.dumps(known))


def _first_runs(onnx_model: OnnxModel, profile: HardwareProfile) -> list[Run]:
    """A run of each version, as they are made one by one."""
    versions = [
        a_ready_version(onnx_model=onnx_model, content=b"%d" % n, label=f"v{n}")
        for n in range(VERSION_COUNT)
    ]
    return [
        a_done_run(version, profile, mean_s=0.001 * (1 + 0.01 * n))
        for n, version in enumerate(versions)
    ]


def _repeat(first: list[Run], run_count: int) -> None:
    """Store copies of the runs until there are ``run_count``, spread over half a year."""
    runs, measurements, estimates = [], [], []
    for number in range(run_count - len(first)):
        run = first[number % len(first)]
        at = timezone.now() - timedelta(days=DAYS * (number + 1) / run_count)
        moments = ("queued_at", "turn_at", "rung_at", "started_at", "finished_at")
        copy = _again(run, **dict.fromkeys(moments, at))
        runs.append(copy)
        measurements.append(_again(run.measurement, run_id=copy.pk))
        estimates.append(_again(run.estimate, run_id=copy.pk))
    for model, rows in ((Run, runs), (Measurement, measurements), (Estimate, estimates)):
        model.objects.bulk_create(rows, batch_size=500)


def _again(row: Any, **changes: Any) -> Any:
    """A row like ``row``, not stored yet."""
    kept = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key
    }
    return type(row)(**(kept | changes))
