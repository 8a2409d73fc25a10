"""Hostile models: each is read in a child, refused with its own code, and told in one sentence."""

import time

import pytest
from django.test import Client
from onnx import TensorProto, helper

from benchmarks import inspection
from runner.sample_models import lenet5
from tests.people import a_ready_version, owner
from tests.runner.builders import model, relu, value, weight

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_back_end]
OWN_IMPORTS = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
OWN = ("own", "f0", ["a"], ["b"])


def with_weights_in(location):
    """A model whose weights lie in another file."""
    stored = weight("w", [4])
    stored.ClearField("raw_data")
    stored.data_location = TensorProto.EXTERNAL
    stored.external_data.add(key="location", value=location)
    node = helper.make_node("Add", ["x", "w"], ["y"])
    return model([node], [value("x", [4])], [value("y", [4])], [stored])


def with_hidden_weights():
    """A model that keeps the weights of an inner graph's constant in another file."""
    tensor = with_weights_in("/etc/passwd").graph.initializer[0]
    inner = helper.make_graph(
        [helper.make_node("Constant", [], ["y"], value=tensor)], "inner", [], [value("y", [4])]
    )
    node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    return model([node], [value("c", [], TensorProto.BOOL)], [value("y", [4])])


def one_node(operator, domain=""):
    node = helper.make_node(operator, ["x"], ["y"], domain=domain)
    return model([node], [value("x", [1])], [value("y", [1])])


def a_chain(node_count):
    """So many nodes, one after the other, in as few bytes as they take."""
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    made = model(nodes, [value("x", [1])], [value("y", [1])])
    made.graph.node.extend([nodes[0]] * (node_count - 1))
    return made


def nested(depth):
    """A graph within a graph, so many deep."""
    graph = relu().graph
    for _ in range(depth):
        node = helper.make_node("If", ["c"], ["y"], then_branch=graph, else_branch=relu().graph)
        graph = helper.make_graph([node], "outer", [], [value("y", [1])])
    made = relu()
    made.graph.CopyFrom(graph)
    return made


def a_function(name, calls, times=1):
    nodes = [helper.make_node(calls, ["a"], ["b"], domain="own") for _ in range(times)]
    return helper.make_function("own", name, ["a"], ["b"], nodes, OWN_IMPORTS)


def with_functions(*functions):
    node = helper.make_node("f0", ["x"], ["y"], domain="own")
    return model([node], [value("x", [1])], [value("y", [1])], functions=list(functions))


def a_leaf(name, times):
    nodes = [helper.make_node("Relu", ["a"], ["b"]) for _ in range(times)]
    return helper.make_function("own", name, ["a"], ["b"], nodes, OWN_IMPORTS)


def named(name):
    node = helper.make_node("Relu", [name], ["y"])
    return model([node], [value(name, [1])], [value("y", [1])])


def of_no_text():
    return relu().SerializeToString().replace(b"\x0a\x01x", b"\x0a\x01\xff")


def with_a_hidden_graph():
    """A model whose graph goes on in a field numbered beyond any.

    Its tag is that of a graph (0x3a) and 2 to the 32: protobuf's C++ drops what is more than 32
    bits, and onnxruntime merges the two graphs.
    """
    more = helper.make_graph([helper.make_node("Neg", ["x"], ["z"])], "", [], [value("z", [1])])
    hidden = more.SerializeToString()
    return relu().SerializeToString() + b"\xba\x80\x80\x80\x10" + bytes([len(hidden)]) + hidden


def calling(*names, functions, domain="own", overload=""):
    """A model that calls its functions by ``names``, one after the other."""
    nodes = [
        helper.make_node(name, ["x"], [f"y{place}"], domain=domain, overload=overload)
        for place, name in enumerate(names)
    ]
    return model(nodes, [value("x", [1])], [value("y0", [1])], functions=functions)


def with_weights_in_a_functions_branch():
    """A function whose condition has a branch that keeps its weights in another file."""
    tensor = with_weights_in("weights.bin").graph.initializer[0]
    branch = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["b"])], "inner", [], [value("b", [4])], [tensor]
    )
    node = helper.make_node("If", ["a"], ["b"], then_branch=branch, else_branch=branch)
    return calling("f0", functions=[helper.make_function(*OWN, [node], OWN_IMPORTS)])


def with_an_attribute_left_out(attribute):
    """A function that does something with an attribute which nobody gives it."""
    node = helper.make_node("Constant", [], ["b"])
    node.attribute.add(name=attribute.name, type=attribute.type, ref_attr_name=attribute.name)
    made = helper.make_function(*OWN, [node], OWN_IMPORTS, attribute_protos=[attribute])
    return calling("f0", functions=[made])


def with_weights_in_an_attribute():
    tensor = with_weights_in("weights.bin").graph.initializer[0]
    return with_an_attribute_left_out(helper.make_attribute("value", tensor))


def with_an_operator_in_an_attribute():
    node = helper.make_node("Launch", [], ["y"], domain="org.rockets")
    graph = helper.make_graph([node], "inner", [], [value("y", [1])])
    return with_an_attribute_left_out(helper.make_attribute("body", graph))


def a_bomb_behind_another_of_its_name():
    """Ten functions that each call the next ten times, and ten more of their names that do not."""
    bomb = [*(a_function(f"f{n}", f"f{n + 1}", 10) for n in range(9)), a_leaf("f9", 1)]
    decoys = [a_leaf(f"f{n}", 1) for n in range(10)]
    for decoy in decoys:
        decoy.overload = "decoy"
    return calling("f0", functions=[*bomb, *decoys])


def a_chain_of_functions(depth):
    """Functions that call the next one, all of them called too, the innermost first."""
    functions = [*(a_function(f"f{n}", f"f{n + 1}") for n in range(depth)), a_leaf(f"f{depth}", 1)]
    return calling(*(f"f{n}" for n in range(depth, -1, -1)), functions=functions)


def a_function_under_its_other_name():
    """A function of ONNX's own domain that calls itself by the domain's other name."""
    node = helper.make_node("Own", ["a"], ["b"], domain="ai.onnx")
    made = helper.make_function("", "Own", ["a"], ["b"], [node], OWN_IMPORTS)
    return calling("Own", domain="", functions=[made])


def with_a_disguised_size():
    inputs = [helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, ["\u202egnp"])]
    node = helper.make_node("SequenceLength", ["x"], ["y"])
    return model([node], inputs, [value("y", [], TensorProto.INT64)])


def and_a_zip():
    """A model with a field that no reader of ONNX knows, and in it an archive."""
    # Field 100, then the end record of an empty archive (PKWARE, APPNOTE 4.3.16).
    return lenet5() + b"\xa2\x06\x16" + b"PK\x05\x06" + bytes(18)


def and_a_pdf():
    return relu(doc_string="%PDF-1.7\n").SerializeToString()


def and_a_page():
    return b"<html><script>alert(1)</script></html>" + relu().SerializeToString()


HOSTILE = {
    "a40 weights that did not come": (lambda: with_weights_in("weights.bin"), "external_data"),
    "a41 weights at an absolute path": (lambda: with_weights_in("/etc/passwd"), "external_data"),
    "a42 weights outside": (lambda: with_weights_in("../../secret_key"), "external_data"),
    "a43 weights of an inner constant": (with_hidden_weights, "external_data"),
    "a44 weights at an address": (lambda: with_weights_in("http://127.0.0.1/"), "external_data"),
    "a45 an unknown domain": (lambda: one_node("Launch", "org.rockets"), "unknown_domain"),
    "a46 compiled code": (lambda: one_node("EPContext", "com.microsoft"), "compiled_model"),
    "a47 over 50,000 nodes": (lambda: a_chain(50_001), "too_many_nodes"),
    "a48 a nesting over 12": (lambda: nested(13), "nested_too_deep"),
    "a49 a function bomb": (
        lambda: with_functions(
            *(a_function(f"f{n}", f"f{n + 1}", 10) for n in range(9)), a_leaf("f9", 1)
        ),
        "too_many_nodes",
    ),
    "a50 over 10,000 nodes unfolded": (
        lambda: with_functions(a_function("f0", "f1", 101), a_leaf("f1", 100)),
        "too_many_nodes",
    ),
    "a51 functions that call themselves": (
        lambda: with_functions(a_function("f0", "f1"), a_function("f1", "f0")),
        "recursive_function",
    ),
    "a52 a declared input of a terabyte": (lambda: relu((2**20, 2**18)), "oversized_input"),
    "a53 a name with control characters": (lambda: named("a\x1b[2Jb"), "unreadable_names"),
    "a54 a name that turns around": (lambda: named("\u202egnp.exe"), "unreadable_names"),
    "a55 a name that is no text": (of_no_text, "unreadable_names"),
    "a56 a name of a megabyte": (lambda: named("x" * 2**20), "too_large_structure"),
    "a57 two graphs": (lambda: relu().SerializeToString() * 2, "two_graphs"),
    "a58 a ZIP at once": (and_a_zip, "two_kinds"),
    "a59 a PDF at once": (and_a_pdf, "two_kinds"),
    "a60 a page at once": (and_a_page, "not_onnx"),
    "a61 8 MiB of empty nodes": (
        lambda: b"\x08\x08\x3a\x80\x80\x80\x04" + b"\x0a\x00" * (4 * 2**20),
        "too_many_nodes",
    ),
    "a62 a length without end": (lambda: b"\x08\x08\x3a" + b"\xff" * 9 + b"\x01", None),
    "a63 cut off": (lambda: lenet5()[:5000], "truncated"),
    "a200 a graph under a number beyond any": (with_a_hidden_graph, "damaged"),
    "a201 weights in a function's branch": (with_weights_in_a_functions_branch, "external_data"),
    "a202 weights in an attribute left out": (with_weights_in_an_attribute, "external_data"),
    "a203 an operator in an attribute left out": (
        with_an_operator_in_an_attribute,
        "unknown_domain",
    ),
    "a204 a bomb behind another of its name": (a_bomb_behind_another_of_its_name, "too_many_nodes"),
    "a205 two functions of one name": (
        lambda: with_functions(a_function("f0", "f0"), a_leaf("f0", 1)),
        "damaged",
    ),
    "a206 functions nested too deep, the innermost called first": (
        lambda: a_chain_of_functions(40),
        "recursive_function",
    ),
    "a207 a function that calls itself by another name": (
        a_function_under_its_other_name,
        "recursive_function",
    ),
    "a208 the name of a size that turns around": (with_a_disguised_size, "unreadable_names"),
    "a209 a declared input of 10 to the 18,000": (
        lambda: relu((2**62,) * 1_000),
        "oversized_input",
    ),
}


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_model_is_refused_with_one_sentence(case):
    build, code = HOSTILE[case]
    made = build()
    content = made if isinstance(made, bytes) else made.SerializeToString()
    version = a_ready_version(content=content, status="inspecting", inputs=[], operators={})
    client = Client()
    client.force_login(owner())
    began_s = time.monotonic()

    inspection.inspect(version.pk)
    version.refresh_from_db()
    page = client.get(version.onnx_model.get_absolute_url()).content.decode()

    assert version.status == "rejected"
    assert version.rejection_code == code or code is None
    assert version.rejection_reason.endswith(".")
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert time.monotonic() - began_s < 20
