"""Which front-end files the site serves of other people's, and how they get into static/vendor.

Run as a script, before Django exists: ``python -P carbonsite/vendor.py``.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "static" / "vendor"
CACHE = ROOT / ".cache" / "front-end"
STAMP_NAME = ".stamp"

# Only these leave node_modules: collectstatic over all of it takes 100 s. The manifest
# storage fails on a script whose .map is missing, so maps come along.
FILES_BY_PACKAGE = {
    "@picocss/pico": ("css/pico.min.css", "LICENSE.md"),
    "chart.js": ("dist/chart.umd.min.js", "dist/chart.umd.min.js.map", "LICENSE.md"),
    "chartjs-adapter-date-fns": (
        "dist/chartjs-adapter-date-fns.bundle.min.js",
        "LICENSE.md",
    ),
    "chartjs-plugin-zoom": ("dist/chartjs-plugin-zoom.min.js", "LICENSE.md"),
    # Inside the date adapter's bundle.
    "date-fns": ("LICENSE.md",),
    "hammerjs": ("hammer.min.js", "hammer.min.js.map", "LICENSE.md"),
}


class VendorError(Exception):
    """The front-end files could not be fetched; the message says why and what to do."""


def stamp() -> str:
    """Return what identifies the wanted files: the lock file and this list."""
    digest = hashlib.sha256()
    for path in (ROOT / "package-lock.json", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_current(target: Path = TARGET) -> bool:
    """Whether ``target`` already holds the wanted files."""
    note = target / STAMP_NAME
    return note.is_file() and note.read_text() == stamp()


def fetch(target: Path = TARGET) -> None:
    """Fill ``target`` with the files of the allow-list, as the lock file pins them.

    Raises VendorError when no npm can be had or none can fetch the packages.
    """
    packages = install_packages(CACHE)
    draft = CACHE / "vendor"
    shutil.rmtree(draft, ignore_errors=True)
    copy_allowed(packages, draft)
    (draft / STAMP_NAME).write_text(stamp())
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    shutil.rmtree(packages)


def install_packages(folder: Path) -> Path:
    """Install the locked packages in ``folder`` and return its node_modules."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(ROOT / name, folder / name)
    complaint = "no npm was found"
    for npm in npm_candidates():
        # No script of a package runs: they are only unpacked.
        answer = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode == 0:
            return folder / "node_modules"
        complaint = f"{npm} ended with {answer.returncode}: {answer.stderr.strip()[-600:]}"
    raise VendorError(
        f"The front-end files could not be fetched: {complaint}. "
        "Is the package registry reachable? Then run the same command again."
    )


def npm_candidates() -> Iterator[str]:
    """The npm programs to try in turn: the machine's, then one from a Python package."""
    if of_machine := shutil.which("npm"):
        yield of_machine
    beside_python = Path(sys.executable).parent / "npm"
    if not beside_python.exists():
        install_node_wheel()
    if beside_python.exists():
        yield str(beside_python)


def install_node_wheel() -> None:
    """Install Node.js as a Python package, when this Python is a virtual environment's."""
    if sys.prefix == sys.base_prefix:
        return
    lock = ROOT / "requirements-node.txt"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=False)


def copy_allowed(packages: Path, target: Path) -> None:
    """Copy the allow-list from ``packages``, one folder per package."""
    for package, names in FILES_BY_PACKAGE.items():
        folder = target / package.rpartition("/")[2]
        folder.mkdir(parents=True)
        for name in names:
            source = packages / package / name
            if not source.is_file():
                raise VendorError(f"{package} has no {name}: its layout changed with a version.")
            shutil.copyfile(source, folder / source.name)


def main() -> int:
    """Fetch what is missing; say so in one line when that fails."""
    if is_current():
        return 0
    try:
        fetch()
    except VendorError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
