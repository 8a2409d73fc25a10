"""The cast of every story: owner, teammate, stranger, anonymous; and the things they own."""

import hashlib
from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from benchmarks.models import InputSet, Measurement, ModelVersion, OnnxModel, Run, Sweep
from benchmarks.outcomes import store_estimate, store_evaluation
from hardware.assumptions import assumptions_of
from hardware.models import CarbonIntensity, HardwareProfile, Processor, Zone
from runner.evaluated import EvaluationResult

PASSWORD = "correct horse 4 battery"
MACHINE = {
    "cpu": "AMD EPYC 7B13",
    "core_count": 2,
    "memory_bytes": 25_000_000_000,
    "os": "Linux 6.18",
    "fingerprint": "machine-1",
}
SOFTWARE = {"onnxruntime": "1.32.0", "python": "3.11.7", "provider": "CPUExecutionProvider"}


def member(name, **fields):
    """A user with that name, made once per test."""
    user = User.objects.filter(username=name).first()
    return user or User.objects.create_user(name, password=PASSWORD, **fields)


def owner():
    return member("owner", email="owner@example.org")


def teammate():
    return member("teammate")


def stranger():
    return member("stranger")


def admin():
    return member("admin", is_staff=True, is_superuser=True)


def anonymous():
    return AnonymousUser()


def a_zone(code="IND", name="India", *, g_per_kwh=713.0, year=2023, **fields):
    """A zone with one intensity (none when ``g_per_kwh`` is None)."""
    zone, _ = Zone.objects.get_or_create(code=code, defaults={"name": name, **_kind(code, fields)})
    if g_per_kwh is not None:
        CarbonIntensity.objects.get_or_create(
            zone=zone, year=year, defaults={"g_per_kwh": g_per_kwh, "source": "test table"}
        )
    return zone


def _kind(code, fields):
    return {"kind": Zone.Kind.WORLD if code == "WORLD" else Zone.Kind.COUNTRY, **fields}


def a_processor(name="M1", *, vendor="Apple", kind="cpu", tdp_w=13.0, **fields):
    row, _ = Processor.objects.get_or_create(
        name=name,
        vendor=vendor,
        kind=kind,
        defaults={"tdp_w": tdp_w, "source": "test table", **fields},
    )
    return row


def _next_name(name, rows):
    """``name``, or with a number behind it when the owner has one of that name."""
    count = rows.filter(name__startswith=name).count()
    return f"{name} {count + 1}" if count else name


def a_profile(user=None, name=None, **fields):
    """The article's laptop in India: 13 W of CPU, 3 W of RAM, 713 g/kWh."""
    user = user or owner()
    name = name or _next_name("Laptop", user.hardware_profiles)
    values = {"cpu_tdp_w": 13.0, "ram_gb": 8.0, **fields}
    values.setdefault("zone", None)
    values["zone"] = values["zone"] or a_zone()
    return HardwareProfile.objects.create(owner=user, name=name, **values)


def a_model(user=None, name=None, **fields):
    user = user or owner()
    name = name or _next_name("LeNet-5", user.onnx_models)
    return OnnxModel.objects.create(owner=user, name=name, **fields)


INPUTS = [{"name": "input", "dtype": "float32", "shape": ["batch", 1, 28, 28]}]
# Of a model that takes one item at a time.
FIXED_INPUTS = [{"name": "input", "dtype": "float32", "shape": [1, 1, 28, 28]}]
OUTPUTS = [{"name": "output", "dtype": "float32", "shape": ["batch", 10]}]


def a_ready_version(user=None, *, onnx_model=None, content=b"not really a model", **fields):
    """The next version of a model, as if it had been inspected."""
    onnx_model = onnx_model or a_model(user)
    digest = hashlib.sha256(content).hexdigest()
    file_name = f"{onnx_model.owner_id}/{digest}.onnx"
    if not default_storage.exists(file_name):
        default_storage.save(file_name, ContentFile(content))
    values = {
        "number": onnx_model.versions.count() + 1,
        "file": file_name,
        "original_name": "model.onnx",
        "sha256": digest,
        "size_bytes": len(content),
        "status": ModelVersion.Status.READY,
        "opset": 17,
        "ir_version": 8,
        "producer": "carbonsite",
        "parameter_count": 44_426,
        "mac_count": 281_640,
        "flop_count": 563_280,
        "node_count": 12,
        "operators": {"Conv": 2, "Gemm": 3, "MaxPool": 2, "Relu": 4, "Flatten": 1},
        "inputs": INPUTS,
        "outputs": OUTPUTS,
        **fields,
    }
    return ModelVersion.objects.create(onnx_model=onnx_model, **values)


def an_input_set(onnx_model, content=b"not really arrays", **fields):
    """Real inputs of a model, as if they had been sent."""
    digest = hashlib.sha256(content).hexdigest()
    file_name = f"{onnx_model.owner_id}/{digest}.npz"
    if not default_storage.exists(file_name):
        default_storage.save(file_name, ContentFile(content))
    values = {
        "name": _next_name("photos", onnx_model.input_sets),
        "file": file_name,
        "sha256": digest,
        "size_bytes": len(content),
        "tensors": [{"name": "input", "dtype": "float32", "shape": [1, 1, 28, 28]}],
        **fields,
    }
    return InputSet.objects.create(onnx_model=onnx_model, **values)


def a_labelled_set(version, **fields):
    """An evaluation set of fifty images for that version."""
    tensors = [
        {"name": "input", "dtype": "float32", "shape": [50, 1, 28, 28]},
        {"name": "labels", "dtype": "int64", "shape": [50]},
    ]
    return an_input_set(version.onnx_model, tensors=tensors, has_labels=True, **fields)


def a_queued_run(version=None, profile=None, **fields):
    version = version or a_ready_version()
    user = version.onnx_model.owner
    profile = profile or HardwareProfile.objects.filter(owner=user).first() or a_profile(user)
    return Run.objects.create(
        version=version,
        profile=profile,
        owner=user,
        assumptions=assumptions_of(profile).as_json(),
        **fields,
    )


def a_sweep(version=None, profile=None, *, batch_sizes=(), intra_op_threads=(1,)):
    """A sweep of the owner's; its runs wait, one for each batch size with each thread count."""
    version = version or a_ready_version()
    user = version.onnx_model.owner
    profile = profile or HardwareProfile.objects.filter(owner=user).first() or a_profile(user)
    sweep = Sweep.objects.create(
        owner=user,
        version=version,
        profile=profile,
        profile_name=profile.name,
        settings={
            "batch_sizes": list(batch_sizes),
            "intra_op_threads": list(intra_op_threads),
            "effort": "quick",
            "inputs": {},
        },
    )
    for batch_size in batch_sizes:
        for thread_count in intra_op_threads:
            a_queued_run(
                version,
                profile,
                sweep=sweep,
                batch_size=batch_size,
                intra_op_threads=thread_count,
                effort="quick",
            )
    return sweep


def a_done_run(version=None, profile=None, *, mean_s=0.001, measurement=None, **fields):
    """A run that took ``mean_s`` per inference, with its estimate."""
    finished_at = fields.pop("finished_at", timezone.now())
    run = a_queued_run(
        version,
        profile,
        status=Run.Status.DONE,
        attempts=1,
        queued_at=finished_at - timedelta(seconds=30),
        started_at=finished_at - timedelta(seconds=25),
        finished_at=finished_at,
        **fields,
    )
    found = Measurement.objects.create(run=run, **{**_figures(mean_s), **(measurement or {})})
    store_estimate(run, found)
    return Run.objects.with_results().get(pk=run.pk)


def a_measured_accuracy(version, correct, items, *, values_name="digits", run=None):
    """What a run found of that version: so many of the items right."""
    digest = hashlib.sha256(values_name.encode()).hexdigest()
    run = run or a_done_run(version)
    run.values_name, run.values_sha256, run.measures_accuracy = values_name, digest, True
    run.save()
    store_evaluation(run, EvaluationResult(items, correct, 0, "scores", "scores", 10, 32, 0, 0.1))
    version.refresh_from_db()
    return version.evaluation


def _figures(mean_s):
    figures = {
        "mean_s": mean_s,
        "median_s": mean_s * 0.98,
        "stdev_s": mean_s * 0.05,
        "min_s": mean_s * 0.9,
        "max_s": mean_s * 1.5,
        "p90_s": mean_s * 1.1,
        "p95_s": mean_s * 1.2,
        "p99_s": mean_s * 1.4,
        "sample_count": 1000,
    }
    return {
        **figures,
        "ci95_low_s": mean_s * 0.99,
        "ci95_high_s": mean_s * 1.01,
        "as_measured": {key: figures[key] for key in AS_MEASURED},
        "samples_s": [mean_s * (0.9 + 0.002 * n) for n in range(100)],
        "throughput_per_s": 1 / mean_s,
        "load_s": 0.05,
        "first_call_s": mean_s * 3,
        "peak_memory_bytes": 80_000_000,
        "cpu_usage_ratio": 0.98,
        "machine_usage_ratio": 0.49,
        "cpu_time_per_inference_s": mean_s,
        "machine": MACHINE,
        "software": SOFTWARE,
        "machine_fingerprint": "machine-1",
        "software_fingerprint": "software-1",
    }


AS_MEASURED = ("mean_s", "median_s", "p90_s", "p95_s", "p99_s", "max_s", "sample_count")


def a_composition(**fields):
    """Two convolutions that take three quarters of the time, and a product that takes the rest."""
    conv, product = {"operator": "Conv"}, {"operator": "MatMul"}
    values = {
        "parameter_count": 44_426,
        "weight_bytes": 177_704,
        "mac_count": 1_434_000_000,
        "flop_count": 2_868_000_000,
        "activation_bytes": 43_016,
        "peak_activation_bytes": 27_648,
        "operators": [
            {**conv, "call_count": 2, "time_ratio": 0.75, "mac_count": 1_400_000_000},
            {**product, "call_count": 1, "time_ratio": 0.25, "mac_count": 34_000_000},
        ],
        "layers": [
            {**conv, "name": "first", "call_count": 1, "time_ratio": 0.5, "mac_count": 900_000_000},
            {
                **product,
                "name": "last",
                "call_count": 1,
                "time_ratio": 0.25,
                "mac_count": 34_000_000,
            },
        ],
        "other_layers": {"layer_count": 1, "time_ratio": 0.25, "mac_count": 500_000_000},
        "uncounted_operators": [],
        "constant_node_count": 0,
        "profiled_call_s": 0.002,
        "profiled_call_count": 10,
        "notes": [],
        **fields,
    }
    for one in values["operators"]:
        one.setdefault("output_bytes", 1_000)
    for one in values["layers"]:
        one.setdefault("output_shape", [1, 6, 24, 24])
        one.setdefault("parameter_bytes", 624)
    return values


def a_meter(name="rapl-package", *, covers="cpu", power_w=6.5, idle_power_w=2.0, latency_s=0.001):
    """What a meter of that power says of an inference of that latency, as a run stores it."""
    return {
        "name": name,
        "covers": covers,
        "is_available": True,
        "reason": "",
        "power_w": power_w,
        "idle_power_w": idle_power_w,
        "energy_kwh_per_inference": power_w / 1000 * latency_s / 3600,
    }


def a_missing_meter(name="nvml", *, covers="gpu", reason="this machine has no NVIDIA driver"):
    unknown = dict.fromkeys(("power_w", "idle_power_w", "energy_kwh_per_inference"))
    known = {"name": name, "covers": covers, "is_available": False, "reason": reason}
    return {**known, **unknown}
