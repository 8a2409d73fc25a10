"""What is made ready once, so that nobody waits for it later."""

import sys
from pathlib import Path

from carbonsite import environment


def test_children_find_what_they_import_compiled(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "PYTHON", Path(sys.executable))
    # As some containers set it; the compiled files go where the test can see them.
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path))

    environment.compile_for_children()

    compiled = {path.name.partition(".")[0] for path in tmp_path.rglob("*.pyc")}
    assert {"measure", "onnx_file", "multiarray", "onnxruntime_inference_collection"} <= compiled
