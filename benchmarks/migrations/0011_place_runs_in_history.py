import hashlib
import json

from django.db import migrations

AT_ONCE = 500


def place_finished_runs(apps, schema_editor):
    """Tell the circumstances of every result that was stored before they were kept."""
    Run = apps.get_model("benchmarks", "Run")
    done = Run.objects.filter(status="done", measurement__isnull=False, circumstances__isnull=True)
    while True:
        runs = list(
            done.select_related("version", "measurement")
            .defer("measurement__samples_s", "measurement__composition", "version__operators")
            .prefetch_related("estimates")
            .order_by("pk")[:AT_ONCE]
        )
        if not runs:
            return
        for run in runs:
            _place(apps, run)
        Run.objects.bulk_update(runs, ["onnx_model", "circumstances", "latency_s"])


def _place(apps, run):
    stands = next((one for one in run.estimates.all() if one.is_headline), None)
    measurement = run.measurement
    told = {
        "profile_name": run.assumptions["profile_name"],
        "batch_size": run.batch_size,
        "intra_op_threads": run.intra_op_threads,
        "input_choices": run.input_choices,
        "values_name": run.values_name,
        "values_sha256": run.values_sha256,
        "cpu": measurement.machine.get("cpu") or "",
        "machine_fingerprint": measurement.machine_fingerprint,
        "onnxruntime": measurement.software.get("onnxruntime") or "",
        "software_fingerprint": measurement.software_fingerprint,
        "assumptions": (stands.assumptions if stands else None) or run.assumptions,
    }
    # The word that benchmarks.circumstances.digest_of makes of the same.
    said = {**told, "profile": str(run.profile_id or "")}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    run.circumstances, _ = apps.get_model("benchmarks", "Circumstances").objects.get_or_create(
        version_id=run.version_id,
        digest=digest,
        defaults={
            "onnx_model_id": run.version.onnx_model_id,
            "profile_id": run.profile_id,
            **told,
        },
    )
    run.onnx_model_id = run.version.onnx_model_id
    run.latency_s = measurement.mean_s


class Migration(migrations.Migration):

    dependencies = [
        ('benchmarks', '0010_circumstances'),
    ]

    operations = [
        migrations.RunPython(place_finished_runs, migrations.RunPython.noop),
    ]
