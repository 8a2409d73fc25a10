"""A model whose weights lie in a file of their own, from the form to its grams."""

import re
import zipfile

import pytest

from runner.sample_models import lenet5
from tests.external import MODEL, saved_apart
from tests.journeys import steps

pytestmark = pytest.mark.browser


def test_a_model_is_sent_with_its_data_and_gets_its_grams(site, visitor, tmp_path):
    page = visitor
    steps.sign_up(page, site, "in-two-files")
    steps.describe_laptop(page, site)
    for name, content in saved_apart(lenet5(), location="weights.bin").items():
        (tmp_path / name).write_bytes(content)
    page.goto(f"{site.url}/models/new/")

    chosen = page.locator("input[type=file]")
    chosen.set_input_files([tmp_path / "weights.bin"])
    chosen.set_input_files([tmp_path / "weights.bin", tmp_path / MODEL])
    page.get_by_text("model.onnx and 1 data file").wait_for()
    assert page.locator("input[name=name]").input_value() == "model"
    page.get_by_role("button", name="Upload", exact=True).click()
    page.wait_for_url(re.compile(r"/models/[0-9a-f-]{36}/"))
    model_url = page.url
    page.get_by_role("link", name="Run it").first.wait_for()
    page.get_by_text("in 2 files").click()
    page.get_by_text("weights.bin, ").wait_for()
    run = steps.run_from_api(page, site, steps.run_quickly(page, model_url))

    assert run["status"] == "done"
    assert run["composition"]["parameter_count"] == 44_426


def test_a_model_without_its_data_says_what_to_send_and_a_zip_mends_it(site, visitor, tmp_path):
    page = visitor
    steps.sign_up(page, site, "forgot-the-weights")
    contents = saved_apart(lenet5(), location="weights.bin")
    (tmp_path / MODEL).write_bytes(contents[MODEL])
    with zipfile.ZipFile(tmp_path / "net.zip", "w") as archive:
        for name, content in contents.items():
            archive.writestr(f"net/{name}", content)

    model_url = steps.upload(page, site, tmp_path / MODEL)
    page.get_by_text("“weights.bin”, which was not uploaded with it").first.wait_for()
    page.goto(f"{model_url}versions/new/")
    page.locator("input[type=file]").set_input_files(tmp_path / "net.zip")
    page.get_by_role("button", name="Upload", exact=True).click()

    page.get_by_text("in 2 files").wait_for()
