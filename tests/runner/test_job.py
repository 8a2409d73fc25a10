import json
import math

import pytest

from runner.errors import InputProblem, Nonsense
from runner.job import InputChoices, Job, Limits


def test_a_job_survives_the_way_to_the_child():
    job = Job(
        "measure",
        "/models/a.onnx",
        batch_size=4,
        inputs=InputChoices(
            dims={"n": 2}, shapes={"x": (1, 3)}, ranges={"x": (0, 2**62), "y": (0.5, 1.5)}
        ),
        limits=Limits(wall_s=10.0, cpu_s=5.0),
    )

    assert Job.from_json(job.to_json()) == job


@pytest.mark.parametrize(
    "field, value",
    [
        ("kind", "destroy"),
        ("schema", 2),
        ("onnx_path", ""),
        ("batch_size", 0),
        ("batch_size", "4"),
        ("batch_size", True),
        ("intra_op_threads", -1),
        ("effort", "endless"),
        ("seed", 10**30),
        ("measuring_s", 0),
        ("inputs", {"dims": {"n": 1.5}}),
        ("inputs", {"colours": {}}),
        ("limits", {"wall_s": 0, "cpu_s": 1}),
        ("onnx_path", "a\x00b"),
        ("unheard_of", 1),
    ],
)
def test_a_job_that_says_nonsense_is_refused_and_the_field_named(field, value):
    text = json.dumps({"kind": "measure", "onnx_path": "/a.onnx", field: value})

    with pytest.raises(Nonsense) as refused:
        Job.from_json(text)

    assert refused.value.field.startswith(field)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "NaN", '{"kind": "measure"}', "[" * 99_999])
def test_what_is_no_job_file_is_refused(text):
    with pytest.raises(Nonsense):
        Job.from_json(text)


def test_choices_that_make_no_sense_name_the_setting_to_change():
    with pytest.raises(InputProblem) as refused:
        InputChoices.from_plain({"dims": {"sequence": "long"}})

    assert refused.value.field == "inputs.dims.sequence"


def test_an_effort_sets_how_long_is_measured():
    seconds = [Job("measure", "/a", effort=e).wanted_measuring_s for e in ("quick", "careful")]

    assert seconds == [5.0, 75.0]


def test_limits_leave_room_for_the_measuring():
    job = Job("measure", "/a", effort="careful", intra_op_threads=4)

    assert job.longest_measuring_s == 300
    assert job.effective_limits.wall_s > 300
    assert job.effective_limits.cpu_s > 4 * 300
    assert math.isfinite(job.effective_limits.cpu_s)


def test_a_child_gets_to_read_the_model_and_the_real_inputs_and_nothing_else():
    assert Job("measure", "a.onnx").files == ("a.onnx",)
    assert Job("measure", "a.onnx", values_path="b.npz").files == ("a.onnx", "b.npz")
