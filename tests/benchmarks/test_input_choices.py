"""What is saved with a model fits what runs are made of, or is left out with a reason."""

import pytest
from django.core.exceptions import ValidationError

from benchmarks import input_choices
from benchmarks.models import OnnxModel, Run
from benchmarks.submission import RunSettings, submit_again, submit_run
from runner.results import InputUsed
from runner.shapes import tensors_from_plain
from tests.people import a_profile, a_queued_run, a_ready_version, an_input_set, owner

pytestmark = pytest.mark.django_db

IMAGE = {"name": "x", "dtype": "float32", "shape": ["batch", 3, "height", "width"]}
NAMELESS = {"name": "x", "dtype": "float32", "shape": [None, 3, None, None]}
TOKENS = {"name": "tokens", "dtype": "int64", "shape": ["batch", "length"]}
MASK = {"name": "mask", "dtype": "int64", "shape": ["batch", "length"]}
LARGE = {"dims": {"height": 640, "width": 480}}


def a_version(*inputs, saved=None):
    version = a_ready_version(inputs=list(inputs))
    if saved is not None:
        input_choices.save(version.onnx_model, saved)
    return version


def submitted(version, **settings):
    run = submit_run(
        owner=owner(), version=version, profile=a_profile(), settings=RunSettings(**settings)
    )
    return Run.objects.get(pk=run.pk)


def test_a_run_that_says_nothing_takes_what_is_saved():
    assert submitted(a_version(IMAGE, saved=LARGE)).input_choices == LARGE


def test_a_run_that_wants_the_guesses_gets_them():
    assert submitted(a_version(IMAGE, saved=LARGE), inputs={}).input_choices == {}


def test_what_a_later_version_does_not_take_is_left_out_with_a_reason():
    version = a_version(IMAGE, saved={**LARGE, "ranges": {"x": [0, 255]}})
    later = a_ready_version(
        onnx_model=version.onnx_model,
        inputs=[{**IMAGE, "shape": ["batch", 3, "height", 224]}],
    )

    saved = input_choices.saved_for(later)

    assert saved.choices == {"dims": {"height": 640}, "ranges": {"x": [0, 255]}}
    assert list(saved.message_by_dropped) == ["inputs.dims.width"]
    assert "no free dimension called “width”" in saved.message_by_dropped["inputs.dims.width"]
    assert submitted(later).input_choices == saved.choices


def test_saved_shapes_follow_the_batch_of_the_run():
    version = a_version(NAMELESS)
    input_choices.save(version.onnx_model, {"shapes": {"x": [4, 3, 640, 640]}}, batch_size=4)

    assert version.onnx_model.saved_inputs == {"shapes": {"x": [1, 3, 640, 640]}}
    assert submitted(version, batch_size=8).input_choices == {"shapes": {"x": [8, 3, 640, 640]}}


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"dims": {"depth": 3}}, "inputs.dims.depth"),
        ({"shapes": {"x": [1, 3]}}, "inputs.shapes.x"),
        ({"ranges": {"y": [0, 1]}}, "inputs.ranges.y"),
        ({"ranges": {"x": [2, 1]}}, "inputs.ranges.x"),
        ({"dims": {"height": 0}}, "inputs.dims.height"),
    ],
)
def test_what_the_newest_version_does_not_take_is_not_saved(choices, field):
    version = a_version(IMAGE, saved=LARGE)

    with pytest.raises(ValidationError) as refused:
        input_choices.save(version.onnx_model, choices)

    assert list(refused.value.message_dict) == [field]
    assert OnnxModel.objects.get().saved_inputs == LARGE


def test_of_very_many_sizes_that_do_not_fit_only_the_first_are_looked_for():
    version = a_version(IMAGE)
    absurd = {"dims": {f"size {number}": 1 for number in range(1_000)}}

    with pytest.raises(ValidationError) as refused:
        input_choices.save(version.onnx_model, absurd)

    assert len(refused.value.message_dict) == input_choices.MAX_DROPPED


def test_choices_made_for_another_model_are_left_out_as_a_whole():
    sizes = [f"size {number}" for number in range(input_choices.MAX_DROPPED)]
    version = a_ready_version(inputs=[{**IMAGE, "shape": ["batch", "kept"]}])
    version.onnx_model.saved_inputs = {"dims": {**dict.fromkeys(sizes, 2), "kept": 3}}

    found = input_choices.saved_for(version)

    assert found.choices == {}
    assert len(found.message_by_dropped) == input_choices.MAX_DROPPED


def test_a_run_again_that_chose_nothing_takes_what_has_been_saved_since():
    version = a_version(IMAGE)
    run = a_queued_run(version)
    input_choices.save(version.onnx_model, LARGE)

    assert submit_again(run, owner()).input_choices == LARGE


def test_a_run_again_that_had_its_own_sizes_keeps_them():
    version = a_version(IMAGE, saved=LARGE)
    run = a_queued_run(version, input_choices={"dims": {"height": 8}})

    assert submit_again(run, owner()).input_choices == {"dims": {"height": 8}}


def test_real_inputs_are_noted_with_their_name_and_outlive_themselves():
    version = a_ready_version()
    input_set = an_input_set(version.onnx_model)
    run = submitted(version, values=input_set)

    input_set.delete()

    run.refresh_from_db()
    assert (run.input_set, run.values_name) == (None, input_set.name)
    assert run.values_sha256 == input_set.sha256
    with pytest.raises(ValidationError, match="have been deleted"):
        submit_again(run, owner())


def test_sizes_that_a_file_settles_are_no_settings_of_its_run():
    version = a_version(TOKENS, MASK, saved={"dims": {"length": 64}, "ranges": {"mask": [1, 1]}})
    arrays = [{"name": "tokens", "dtype": "int64", "shape": [1, 7]}]

    run = submitted(version, values=an_input_set(version.onnx_model, tensors=arrays))

    assert run.input_choices == {"ranges": {"mask": [1, 1]}}


def test_a_batch_that_is_not_the_files_is_refused():
    version = a_ready_version()
    arrays = [{"name": "input", "dtype": "float32", "shape": [5, 1, 28, 28]}]
    input_set = an_input_set(version.onnx_model, tensors=arrays)

    with pytest.raises(ValidationError) as refused:
        submitted(version, values=input_set, batch_size=2)

    assert list(refused.value.message_dict) == ["batch_size"]
    assert submitted(version, values=input_set, batch_size=5).batch_size == 5


def test_inputs_of_another_model_are_refused():
    other = an_input_set(a_ready_version().onnx_model)

    with pytest.raises(ValidationError, match="belong to another model"):
        submitted(a_ready_version(), values=other)


def test_inputs_that_a_later_version_does_not_take_are_refused():
    version = a_version(IMAGE)
    input_set = an_input_set(version.onnx_model)

    with pytest.raises(ValidationError) as refused:
        submitted(version, values=input_set)

    assert list(refused.value.message_dict) == ["values"]


SOUND = {
    **{"name": "sound", "dtype": "float32", "shape": ["batch", "samples"]},
    "hint": {"sizes": [None, 16_000], "size_whys": ["", "audio"], "kinds": ["", "audio"]},
}
RATE = {
    **{"name": "sr", "dtype": "int64", "shape": []},
    "hint": {"low": 16_000, "high": 16_000, "range_why": "sampling rate", "legal": [16_000, 8_000]},
}


def used(size=512, why="guessed: audio: 512, found to fit", rate=8_000):
    return [
        InputUsed("sound", "float32", (1, size), ("batch size", why), 0.0, 1.0),
        InputUsed("sr", "int64", (), (), rate, rate, "sampling rate"),
    ]


def guesses(version):
    """What the inputs of ``version`` are fed where nothing is chosen: sizes, reason, rate."""
    version.refresh_from_db()
    plan = input_choices.default_plan(tensors_from_plain(version.inputs))
    return plan["sound"].shape, plan["sound"].why[1], plan["sr"].low


def test_what_was_found_to_fit_is_the_guess_from_then_on():
    version = a_version(SOUND, RATE)
    before = guesses(version)

    input_choices.remember_what_fit(a_queued_run(version), used())

    assert before == ((1, 16_000), "guessed: audio", 16_000)
    assert guesses(version) == ((1, 512), "guessed: audio: 512, found to fit", 8_000)


@pytest.mark.parametrize(
    "chosen",
    [{"input_choices": {"ranges": {"sr": [8_000, 8_000]}}}, {"values_name": "a recording"}],
)
def test_nothing_is_learnt_from_a_run_in_which_something_was_chosen(chosen):
    version = a_version(SOUND, RATE)

    input_choices.remember_what_fit(a_queued_run(version, **chosen), used())

    assert guesses(version)[0] == (1, 16_000)


def test_sizes_that_no_input_has_are_not_learnt():
    version = a_version(SOUND, RATE)

    input_choices.remember_what_fit(a_queued_run(version), used(size=2**40))

    assert guesses(version)[0] == (1, 16_000)
