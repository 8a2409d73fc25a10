"""What a model is made of, by a run of it: counts to the unit, and every second given to a node."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from runner import child, landlock, seccomp_filter
from runner.composition import Composition
from runner.errors import MeasurementFailed
from runner.job import InputChoices, Job, Limits
from runner.launch import run
from runner.profiling import MAX_LAYERS
from runner.results import Failure
from runner.sample_models import lenet5, mlp
from runner.sandbox import Cage
from tests.runner.builders import endless_loop, integers, light_model, model, save, value, weight

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def profiled(tmp_path):
    def profile(made, **settings):
        path = save(made, tmp_path) if not hasattr(made, "exists") else made
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        return run(Job("profile", str(path), **settings), folder)

    return profile


def macs_of(nodes, inputs, outputs, initializers=(), **more):
    return model(nodes, inputs, [value(name, None) for name in outputs], initializers, **more)


@pytest.mark.parametrize(
    "build, parameter_count, mac_count", [(lenet5, 44_426, 281_640), (mlp, 575_102, 574_120)]
)
def test_the_articles_models_are_counted_to_the_unit(build, parameter_count, mac_count, profiled):
    seen = profiled(build())

    assert (seen.parameter_count, seen.weight_bytes) == (parameter_count, 4 * parameter_count)
    assert (seen.mac_count, seen.flop_count) == (mac_count, 2 * mac_count)
    assert seen.uncounted_operators == ()


@pytest.mark.parametrize(
    "name, million_macs",
    [("resnet50", 4_089), ("squeezenet", 349), ("densenet121", 2_834), ("vgg19", 19_632)],
)
def test_published_networks_have_their_published_size(name, million_macs, profiled):
    seen = profiled(light_model(name))

    assert isinstance(seen, Composition), seen
    assert round(seen.mac_count / 1e6) == million_macs
    # Their weights are filled in by nodes that a measurement never runs.
    assert seen.constant_node_count > 0
    assert "ConstantOfShape" not in [one.operator for one in seen.operators]


def test_all_of_the_time_is_given_to_operators_and_to_layers(profiled):
    seen = profiled(lenet5())

    assert math.isclose(sum(one.time_ratio for one in seen.operators), 1)
    assert math.isclose(sum(one.time_ratio for one in seen.layers), 1)
    assert [(one.operator, one.call_count) for one in seen.operators if one.operator == "Conv"] == [
        ("Conv", 2)
    ]
    assert sum(one.mac_count for one in seen.layers) == seen.mac_count
    shape_by_name = {one.name: one.output_shape for one in seen.layers}
    assert shape_by_name["conv_0"] == (1, 6, 24, 24)
    assert seen.other_layers is None


def test_activations_are_added_up_and_their_peak_is_found(profiled):
    """x, 1 kB, is doubled twice over; each Concat needs the one before and no other."""
    nodes = [
        helper.make_node("Concat", ["x", "x"], ["a"], axis=0, name="first"),
        helper.make_node("Concat", ["a", "a"], ["b"], axis=0, name="second"),
        helper.make_node("Relu", ["b"], ["y"], name="third"),
    ]

    seen = profiled(model(nodes, [value("x", [250])], [value("y", [1000])]))

    assert seen.activation_bytes == 2_000 + 4_000 + 4_000
    assert seen.peak_activation_bytes == 4_000 + 4_000


def test_counts_are_per_inference_of_a_batch(profiled):
    seen = profiled(lenet5(), batch_size=8)

    assert seen.mac_count == 281_640
    assert {one.name: one.output_shape for one in seen.layers}["conv_0"] == (8, 6, 24, 24)


def test_a_recurrent_network_is_counted_for_each_step(profiled):
    node = helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=5)
    weights = [weight("w", [1, 20, 3]), weight("r", [1, 20, 5])]

    seen = profiled(macs_of([node], [value("x", [7, 2, 3])], ["y"], weights))

    assert seen.mac_count == 7 * 2 * (20 * 3 + 20 * 5)


def test_an_einsum_is_counted_by_its_indices(profiled):
    node = helper.make_node("Einsum", ["x", "w"], ["y"], equation="bij, jk -> bik")

    seen = profiled(macs_of([node], [value("x", [2, 3, 4])], ["y"], [weight("w", [4, 5])]))

    assert seen.mac_count == 2 * 3 * 4 * 5


def test_a_transposed_gemm_is_counted_by_what_it_sums_over(profiled):
    node = helper.make_node("Gemm", ["x", "w"], ["y"], transA=1)

    seen = profiled(macs_of([node], [value("x", [7, 3])], ["y"], [weight("w", [7, 5])]))

    assert seen.mac_count == 3 * 7 * 5


def test_only_the_branch_taken_counts_and_a_condition_owns_no_time_of_its_nodes(profiled):
    branches = [
        helper.make_graph([helper.make_node(op, ["x", "w"], ["b"])], op, [], [value("b", None)])
        for op in ("MatMul", "Add")
    ]
    node = helper.make_node("If", ["c"], ["y"], then_branch=branches[0], else_branch=branches[1])
    made = macs_of(
        [node],
        [value("x", [300, 300]), value("c", [], TensorProto.BOOL)],
        ["y"],
        [weight("w", [300, 300])],
    )

    seen = profiled(made, inputs=InputChoices(ranges={"c": (1, 1)}))

    ratio = {one.operator: one.time_ratio for one in seen.operators}
    assert seen.mac_count == 300**3
    assert ratio.keys() == {"If", "MatMul"}
    assert math.isclose(sum(ratio.values()), 1)
    assert ratio["MatMul"] > ratio["If"]
    assert seen.activation_bytes == 300 * 300 * 4
    assert seen.peak_activation_bytes is None


def test_a_loops_body_counts_once_for_each_round(profiled):
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["still"]),
            helper.make_node("MatMul", ["before", "w"], ["after"], name="product"),
        ],
        "body",
        [
            value("trip", [], TensorProto.INT64),
            value("go_on", [], TensorProto.BOOL),
            value("before", [4, 4]),
        ],
        [value("still", [], TensorProto.BOOL), value("after", [4, 4])],
    )
    start = numpy_helper.from_array(np.array(True), "start")
    loop = helper.make_node("Loop", ["times", "start", "x"], ["y"], body=body)
    made = macs_of(
        [loop], [value("x", [4, 4])], ["y"], [start, integers("times", 10), weight("w", [4, 4])]
    )

    seen = profiled(made)

    product = next(one for one in seen.layers if one.name == "product")
    assert (product.call_count, product.mac_count) == (10, 10 * 64)
    assert seen.mac_count == 640


def a_loop_of(rounds):
    made = endless_loop()
    made.graph.node[0].input[0] = "times"
    made.graph.initializer.append(integers("times", rounds))
    return made


@pytest.mark.slow
def test_a_profile_too_long_for_two_calls_rests_on_the_first(profiled):
    seen = profiled(a_loop_of(15_000))

    assert isinstance(seen, Composition), seen
    assert "longer than may be written" in seen.notes[0]
    assert {one.operator: one.call_count for one in seen.operators}["Sin"] == 15_000


@pytest.mark.slow
def test_a_profile_too_long_for_one_call_is_refused(profiled):
    """It ends at the size that may be written, or at the memory for it."""
    failure = profiled(a_loop_of(60_000))

    assert isinstance(failure, Failure)
    assert failure.code in ("profile_too_long", "out_of_memory", "crashed"), failure


def test_what_cannot_be_counted_is_named(profiled):
    node = helper.make_node(
        "LinearRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        coefficients=[1.0, 2.0],
        intercepts=[0.0],
    )

    seen = profiled(model([node], [value("x", [1, 2])], [value("y", [1, 1])]))

    assert seen.uncounted_operators == ("LinearRegressor",)
    assert seen.operators[0].mac_count is None
    assert seen.mac_count == 0


def test_names_that_are_none_reach_the_site_clean(profiled):
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name='a"b\n\x01</script>\u202e'),
        helper.make_node("Relu", ["a"], ["y"], name="long" * 5_000),
    ]

    seen = profiled(model(nodes, [value("x", [4])], [value("y", [4])]))

    names = sorted(one.name for one in seen.layers)
    assert names[0] == 'a"b  </script> '
    assert len(names[1]) == 200


def test_more_layers_than_a_page_shows_are_summed(profiled):
    last = MAX_LAYERS + 40
    nodes = [helper.make_node("Relu", [f"t{n}"], [f"t{n + 1}"]) for n in range(last)]

    seen = profiled(model(nodes, [value("t0", [64])], [value(f"t{last}", [64])]))

    assert len(seen.layers) == MAX_LAYERS
    assert seen.other_layers.layer_count == 40
    shares = [one.time_ratio for one in seen.layers] + [seen.other_layers.time_ratio]
    assert math.isclose(sum(shares), 1)
    assert seen.operators[0].call_count == last


def test_an_endless_model_is_stopped_in_time(profiled):
    failure = profiled(endless_loop(), limits=Limits(wall_s=2.0, cpu_s=30.0))

    assert failure.code in ("out_of_time", "out_of_memory")


def test_a_profile_that_fills_the_memory_is_no_crash(tmp_path):
    """onnxruntime's list of events grows with every turn, and refused memory it crashes.

    By hand, in a process of its own: a child's peak begins with that of whoever starts it, and
    the tests' process, whose peak is not that process's, holds more than the bound.
    """
    held = b"x" * 700 * 2**20
    limits = Limits(wall_s=30.0, cpu_s=30.0, memory_bytes=700 * 2**20)
    job = Job("profile", str(save(endless_loop(), tmp_path)), limits=limits)
    (tmp_path / "job.json").write_text(job.to_json(), encoding="utf-8")

    command = (sys.executable, "-m", "runner", tmp_path / "job.json", tmp_path / "result.json")
    subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    del held

    answer = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert answer["failure"]["code"] == "out_of_memory", answer


def test_the_profile_leaves_nothing_behind(profiled, tmp_path):
    profiled(lenet5())

    written = {path.name for path in (tmp_path / "work").rglob("*") if path.is_file()}
    assert written == {"job.json"}


def test_a_profile_is_of_the_same_inputs_as_the_measurement(profiled, tmp_path):
    """Its free sizes are guessed alike, and real arrays are fed where there are some."""
    np.savez(tmp_path / "values.npz", x=np.ones((3, 7), dtype=np.float32))
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    made = model(nodes, [value("x", ["n", "m"])], [value("y", None)], [weight("w", [7, 5])])

    guessed = profiled(made)
    real = profiled(made, batch_size=3, values_path=str(tmp_path / "values.npz"))

    assert guessed.layers[0].output_shape == (1, 5)
    assert real.layers[0].output_shape == (3, 5)


def test_without_landlock_a_closed_cage_writes_no_profile_and_says_so(monkeypatch, tmp_path):
    def no_landlock(_):
        raise OSError("switched off")

    monkeypatch.setattr(landlock, "restrict", no_landlock)
    monkeypatch.setattr(seccomp_filter, "install", lambda _: None)

    with pytest.raises(MeasurementFailed, match="Landlock"):
        child._close_but(Cage(), Job("profile", "model.onnx"), tmp_path)
