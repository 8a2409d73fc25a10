"""An evaluation set is sent, a run measures the accuracy on it, and the comparison shows it."""

import re

import numpy as np
import onnxruntime
import pytest

from runner.sample_models import lenet5
from tests.journeys import steps

pytestmark = pytest.mark.browser
ITEM_COUNT, WRONG_COUNT = 40, 4


@pytest.fixture
def digits(tmp_path):
    """LeNet-5, and items that it answers as their labels say but for four."""
    (tmp_path / "lenet5.onnx").write_bytes(lenet5())
    session = onnxruntime.InferenceSession(lenet5(), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(3)
    images = random.normal(size=(ITEM_COUNT, 1, 28, 28)).astype(np.float32)
    labels = session.run(None, {"image": images})[0].argmax(axis=1)
    labels[:WRONG_COUNT] = (labels[:WRONG_COUNT] + 1) % 10
    np.savez(tmp_path / "digits.npz", image=images, labels=labels)
    return tmp_path


def test_accuracy_is_measured_compared_and_cleared(site, visitor, digits):
    steps.sign_up(visitor, site, "evaluates")
    steps.describe_laptop(visitor, site)
    model_url = steps.upload(visitor, site, digits / "lenet5.onnx", "Reader")
    visitor.get_by_role("link", name="Run it").first.wait_for()

    visitor.goto(f"{model_url}inputs/")
    visitor.locator("input[type=file]").set_input_files(digits / "digits.npz")
    visitor.get_by_role("button", name="Store with the model").click()
    visitor.get_by_role("link", name="Measure accuracy").click()
    assert visitor.get_by_label("Measure the accuracy too").is_checked()
    steps.assert_accessible(visitor)
    visitor.locator("[name=effort][value=quick]").check()
    visitor.get_by_role("button", name="Run it").click()
    run_url = steps.wait_for_result(visitor)

    told = visitor.locator("#accuracy").inner_text()
    assert "90 % right: 36 of 40 items of digits" in told
    assert "It is the accuracy of v1 in comparisons" in told
    steps.assert_accessible(visitor)
    run = steps.run_from_api(visitor, site, run_url)
    assert run["settings"]["batch_size"] == 1
    assert run["evaluation"]["correct_count"] == ITEM_COUNT - WRONG_COUNT

    visitor.goto(model_url)
    assert "measured on digits, 40 items" in visitor.locator("#versions").inner_text()
    visitor.get_by_role("link", name=re.compile("^Edit")).first.click()
    steps.assert_accessible(visitor)
    visitor.get_by_role("button", name="Clear the measured accuracy").click()
    visitor.get_by_text("Cleared.").wait_for()
    assert visitor.get_by_role("button", name="Clear the measured accuracy").count() == 0


def test_the_tick_is_there_only_where_there_may_be_labels(site, visitor, digits):
    steps.sign_up(visitor, site, "ticks")
    steps.describe_laptop(visitor, site)
    model_url = steps.upload(visitor, site, digits / "lenet5.onnx", "Reader")
    visitor.get_by_role("link", name="Run it").first.wait_for()

    visitor.goto(f"{model_url}run/")
    tick = visitor.get_by_label("Measure the accuracy too")
    output = visitor.get_by_label("Output with the answer")
    assert not tick.is_visible()
    visitor.locator("input[type=file]").set_input_files(digits / "digits.npz")
    tick.check()

    assert output.is_visible()
