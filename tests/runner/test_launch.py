"""Children as they really are: started, limited, measured, killed."""

import os
import signal
import struct
import subprocess
import time
import zlib
from pathlib import Path

import pytest
from onnx import TensorProto, helper

from runner import channel
from runner.job import InputChoices, Job, Limits
from runner.launch import Child, run
from runner.results import Failure, InspectionResult, MeasurementResult
from runner.sample_models import lenet5, mlp
from tests.runner.builders import endless_loop, light_model, model, relu, save, value, weight

SOON_S = 20.0


def measuring(path, **settings):
    settings = {"measuring_s": 0.4, "effort": "quick"} | settings
    return Job("measure", str(path), **settings)


@pytest.fixture
def work_dir(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def until(condition):
    deadline_s = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("build", [lenet5, mlp])
def test_the_articles_models_are_measured(build, tmp_path, work_dir):
    result = run(measuring(save(build(), tmp_path)), work_dir)

    assert isinstance(result, MeasurementResult)
    assert 1e-6 < result.latency.median_s < 0.1
    # So short a run may have had too few quiet rounds for an interval.
    if result.latency.ci95_low_s is not None:
        assert result.latency.ci95_low_s <= result.latency.mean_s <= result.latency.ci95_high_s
    assert result.throughput_per_s == pytest.approx(1 / result.latency.mean_s)
    assert 20e6 < result.peak_memory_bytes < 2e9
    assert 0 < result.cpu_usage_ratio <= 1
    assert result.outputs[0].shape == (1, 10)
    assert result.software.onnxruntime.startswith("1.")
    assert result.machine.core_count >= 1
    assert 0 <= result.latency.quiet_ratio <= 1
    assert result.latency.is_noisy >= (result.latency.quiet_ratio < 0.1)
    assert result.as_measured.sample_count >= result.latency.sample_count
    assert result.timing.quiet_burst_count <= result.timing.burst_count
    assert len(result.timing.cores) == 1
    assert 0 < result.session_memory_bytes < result.peak_memory_bytes
    assert result.software.session_options["allow_spinning"] == "0"


def test_peak_memory_is_the_childs_own_and_not_its_parents(tmp_path, work_dir):
    # The peak that getrusage tells is inherited from whoever starts a process.
    held = b"x" * 700 * 2**20

    result = run(measuring(save(lenet5(), tmp_path)), work_dir)

    assert result.peak_memory_bytes < len(held)


@pytest.mark.parametrize("name", ["squeezenet", "resnet50"])
def test_published_networks_are_measured(name, work_dir):
    result = run(measuring(light_model(name), intra_op_threads=2), work_dir)

    assert isinstance(result, MeasurementResult)
    assert result.as_measured.sample_count >= 5
    assert result.inputs[0].shape == (1, 3, 224, 224)


def test_latency_is_per_inference_of_a_batch(tmp_path, work_dir):
    result = run(measuring(save(lenet5(), tmp_path), batch_size=8), work_dir)

    assert result.inputs[0].shape == (8, 1, 28, 28)
    assert result.inputs[0].why[0] == "batch size"
    call_count = result.as_measured.sample_count * result.timing.calls_per_sample
    timed_s = result.as_measured.mean_s * 8 * call_count
    assert 0.5 * result.measuring_wall_s < timed_s <= result.measuring_wall_s


def test_calls_too_short_to_be_timed_alone_are_timed_together_and_it_says_so(tmp_path, work_dir):
    result = run(measuring(save(relu(), tmp_path)), work_dir)

    assert result.timing.calls_per_sample > 1
    assert result.latency.min_s < 50e-6 / 2
    assert any("too short to be timed alone" in note for note in result.timing.notes)


def test_a_quick_run_says_what_it_cannot_know(tmp_path, work_dir):
    quick = run(measuring(save(lenet5(), tmp_path)), work_dir)
    standard = run(measuring(save(lenet5(), tmp_path), effort="standard"), work_dir)

    assert any("quick run" in note for note in quick.timing.notes)
    assert not any("quick run" in note for note in standard.timing.notes)


def test_a_file_is_inspected_in_a_child(work_dir):
    result = run(Job("inspect", str(light_model("squeezenet"))), work_dir)

    assert isinstance(result, InspectionResult)
    assert result.parameter_count == 1_235_496


def test_a_child_writes_no_file_at_all(tmp_path, work_dir):
    run(measuring(save(lenet5(), tmp_path)), work_dir)

    written = {path.name for path in work_dir.rglob("*")}
    assert written == {"job.json"}


def test_texts_switches_and_numbers_are_fed(tmp_path, work_dir):
    nodes = [
        helper.make_node("Identity", ["text"], ["same"]),
        helper.make_node("Not", ["switch"], ["other"]),
        helper.make_node("Cast", ["half"], ["whole"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["table", "place"], ["row"]),
    ]
    inputs = [
        value("text", ["n"], TensorProto.STRING),
        value("switch", ["n"], TensorProto.BOOL),
        value("half", ["n"], TensorProto.FLOAT16),
        value("place", ["n"], TensorProto.INT64),
    ]
    outputs = [
        value("same", ["n"], TensorProto.STRING),
        value("other", ["n"], TensorProto.BOOL),
        value("whole", ["n"]),
        value("row", ["n", 4]),
    ]
    path = save(model(nodes, inputs, outputs, [weight("table", [9, 4])]), tmp_path)
    choices = InputChoices(ranges={"place": (7, 8)})

    result = run(measuring(path, batch_size=3, inputs=choices), work_dir)

    assert isinstance(result, MeasurementResult), result
    assert result.uses_io_binding is False
    assert [item.dtype for item in result.inputs] == ["string", "bool", "float16", "int64"]
    assert (result.inputs[3].low, result.inputs[3].high) == (7, 8)


def test_a_model_that_declares_a_wrong_rank_for_its_output_is_measured(tmp_path, work_dir):
    """Binding takes it for one call and refuses the second; a published OCR model is like that."""
    node = helper.make_node("Reshape", ["x", "size"], ["y"])
    inputs = [value("x", ["n", 1]), value("size", ["rank"], TensorProto.INT64)]
    path = save(model([node], inputs, [value("y", ["n", 1])]), tmp_path)
    choices = InputChoices(dims={"rank": 3}, ranges={"size": (1, 1)})

    result = run(measuring(path, inputs=choices), work_dir)

    assert isinstance(result, MeasurementResult), result
    assert result.uses_io_binding is False
    assert result.outputs[0].shape == (1, 1, 1)


def test_bfloat16_is_fed_where_the_output_is_not_as_declared(tmp_path, work_dir):
    node = helper.make_node("Reshape", ["x", "size"], ["y"])
    inputs = [
        value("x", ["n", 1], TensorProto.BFLOAT16),
        value("size", ["rank"], TensorProto.INT64),
    ]
    made = model([node], inputs, [value("y", ["n", 1], TensorProto.BFLOAT16)])
    choices = InputChoices(dims={"rank": 3}, ranges={"size": (1, 1)})

    result = run(measuring(save(made, tmp_path), inputs=choices), work_dir)

    assert isinstance(result, MeasurementResult), result
    assert result.uses_io_binding is False
    assert result.outputs[0].shape == (1, 1, 1)


def test_bfloat16_is_fed(tmp_path, work_dir):
    node = helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)
    made = model([node], [value("x", ["n", 4], TensorProto.BFLOAT16)], [value("y", ["n", 4])])

    result = run(measuring(save(made, tmp_path)), work_dir)

    assert isinstance(result, MeasurementResult), result


def test_a_model_that_is_refused_its_inputs_says_which_and_why(tmp_path, work_dir):
    node = helper.make_node("Gather", ["table", "place"], ["row"])
    inputs = [value("place", ["n"], TensorProto.INT64)]
    path = save(model([node], inputs, [value("row", ["n"])], [weight("table", [9])]), tmp_path)

    failure = run(measuring(path, inputs=InputChoices(ranges={"place": (50, 60)})), work_dir)

    assert failure.code == "model_failed"
    assert "indices element out of data bounds" in failure.message
    assert "place [1]" in failure.message
    assert "onnxruntime_src" not in failure.message


def test_a_model_that_cannot_be_loaded_says_why(tmp_path, work_dir):
    node = helper.make_node("NoSuchOperator", ["x"], ["y"])
    path = save(model([node], [value("x", [1])], [value("y", [1])]), tmp_path)

    failure = run(measuring(path), work_dir)

    assert failure.code == "load_failed"
    assert "NoSuchOperator" in failure.message
    assert str(tmp_path) not in failure.message


def test_a_choice_that_the_model_cannot_take_ends_the_run(tmp_path, work_dir):
    path = save(relu(), tmp_path)

    failure = run(measuring(path, inputs=InputChoices(dims={"depth": 2})), work_dir)

    assert failure.code == "bad_input"
    assert "depth" in failure.message


def test_an_input_of_an_unsupported_kind_is_named(tmp_path, work_dir):
    node = helper.make_node("Cast", ["weights"], ["y"], to=TensorProto.FLOAT)
    inputs = [value("weights", [4], TensorProto.FLOAT8E4M3FN)]
    path = save(model([node], inputs, [value("y", [4])], opset=19, ir_version=9), tmp_path)

    failure = run(measuring(path), work_dir)

    assert failure.code == "unsupported_input"
    assert "weights" in failure.message


def test_a_text_file_is_rejected_by_the_child(tmp_path, work_dir):
    failure = run(Job("inspect", str(save(b"not a model\n", tmp_path))), work_dir)

    assert failure.code == "not_onnx"


def test_a_missing_file_is_told(tmp_path, work_dir):
    assert run(Job("inspect", str(tmp_path / "gone")), work_dir).code == "missing_file"
    assert run(measuring(tmp_path / "gone"), work_dir).code == "missing_file"


def test_an_endless_model_is_killed_on_time(tmp_path, work_dir):
    job = measuring(save(endless_loop(), tmp_path), limits=Limits(wall_s=1.5, cpu_s=60.0))
    started_s = time.monotonic()

    failure = run(job, work_dir)

    assert failure.code == "out_of_time"
    assert "1.5 s" in failure.message
    assert time.monotonic() - started_s < 3


def test_a_model_that_uses_up_its_cpu_time_is_stopped(tmp_path, work_dir):
    job = measuring(save(endless_loop(), tmp_path), limits=Limits(wall_s=SOON_S, cpu_s=1.0))

    assert run(job, work_dir).code == "out_of_cpu"


def test_a_model_that_needs_too_much_memory_is_stopped(work_dir):
    limits = Limits(wall_s=SOON_S, cpu_s=SOON_S, memory_bytes=300 * 2**20)

    assert run(measuring(light_model("resnet50"), limits=limits), work_dir).code == "out_of_memory"


def test_hardly_any_memory_at_all_is_told_as_such(work_dir):
    limits = Limits(wall_s=SOON_S, cpu_s=SOON_S, memory_bytes=64 * 2**20)

    assert run(measuring(light_model("resnet50"), limits=limits), work_dir).code == "out_of_memory"


def test_inputs_that_do_not_fit_into_memory_are_told_as_such(tmp_path, work_dir):
    choices = InputChoices(dims={"n": 24_000_000})
    limits = Limits(wall_s=SOON_S, cpu_s=SOON_S, memory_bytes=512 * 2**20)

    failure = run(measuring(save(relu(), tmp_path), inputs=choices, limits=limits), work_dir)

    assert failure.code == "out_of_memory"


def test_progress_is_told_while_measuring(tmp_path, work_dir):
    seen = []

    run(
        measuring(save(lenet5(), tmp_path), measuring_s=1.2),
        work_dir,
        on_tick=lambda progress: seen.append(progress),
        tick_s=0.05,
    )

    counts = [progress.sample_count for progress in seen if progress]
    assert "measuring" in {progress.phase for progress in seen if progress}
    assert counts == sorted(counts)
    assert counts[-1] > 0


def test_a_run_that_is_called_off_ends_at_once(tmp_path, work_dir):
    failure = run(
        measuring(save(endless_loop(), tmp_path)), work_dir, on_tick=lambda _: "You cancelled it."
    )

    assert failure == Failure("stopped", "You cancelled it.")


def test_a_parent_that_fails_leaves_no_child_behind(tmp_path, work_dir, monkeypatch):
    started = []
    real_start = Child.start
    monkeypatch.setattr(Child, "start", lambda *a: started.append(real_start(*a)) or started[0])

    with pytest.raises(ConnectionError):
        run(measuring(save(endless_loop(), tmp_path)), work_dir, on_tick=_lose_the_database)

    assert not is_alive(started[0].pid)


def _lose_the_database(progress):
    raise ConnectionError


def test_a_child_killed_from_outside_is_told_from_a_crash(tmp_path, work_dir):
    endings = {signal.SIGKILL: "killed", signal.SIGSEGV: "crashed", signal.SIGFPE: "crashed"}

    for number, code in endings.items():
        child = Child.start(measuring(save(endless_loop(), tmp_path)), work_dir)
        until(child.progress)
        os.kill(child.pid, number)

        assert child.outcome().code == code


@pytest.mark.parametrize(
    "header, text, code",
    [
        ((0, 0), b"", "no_result"),
        ((5_000_000, 0), b"", "no_result"),
        ((2, 1), b"{}", "no_result"),
        ((2, zlib.crc32(b"{}")), b"{}", "nonsense_result"),
        ((8, zlib.crc32(b"[" * 8)), b"[" * 8, "nonsense_result"),
    ],
)
def test_an_answer_that_cannot_be_trusted_is_thrown_away(header, text, code, tmp_path, work_dir):
    child = Child.start(Job("inspect", str(save(relu(), tmp_path))), work_dir)
    until(child.poll)
    place = channel.MAX_PROGRESS_BYTES + 8
    os.pwrite(child._listener.descriptor, struct.pack("=II", *header) + text, place)

    assert child.outcome().code == code


def test_the_child_gets_no_secrets(tmp_path, work_dir, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "swordfish")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "carbonsite.settings")
    given = []
    start = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda *a, **more: given.append(more["env"]) or start(*a, **more)
    )

    run(Job("inspect", str(save(relu(), tmp_path))), work_dir)

    [surroundings] = given
    assert "swordfish" not in surroundings.values()
    assert "DJANGO_SETTINGS_MODULE" not in surroundings
    assert surroundings["HOME"] == str(work_dir)
    assert surroundings["ORT_DISABLE_TELEMETRY"] == "1"


def test_the_child_is_limited_before_it_touches_the_model(tmp_path, work_dir):
    child = Child.start(measuring(save(endless_loop(), tmp_path), intra_op_threads=2), work_dir)
    until(lambda: child.progress() and child.progress().phase == "warming_up")

    told = Path(f"/proc/{child.pid}")
    limits, status, score = (
        (told / name).read_text() for name in ("limits", "status", "oom_score_adj")
    )
    soft = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()}
    child.kill()

    file_bytes = (tmp_path / "model.onnx").stat().st_size
    assert soft["Max address space"] == str(2**30 + 4 * file_bytes + 2 * 64 * 2**20)
    assert soft["Max file size"] == "0"
    assert soft["Max core file size"] == "0"
    assert "NoNewPrivs:\t1" in status
    assert score.strip() == "1000"
