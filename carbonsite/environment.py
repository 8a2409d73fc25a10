"""What the site runs in: a virtual environment and front-end files, each renewed by its lock.

Run as a script with nothing installed: ``python3 -P carbonsite/environment.py [--dev]``.
"""

import argparse
import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv"
PYTHON = HOME / "bin" / "python"
VENDOR = ROOT / "carbonsite" / "vendor.py"
LOCK = ROOT / "requirements.txt"
DEVELOPMENT_LOCK = ROOT / "requirements-dev.txt"
# Wanted by ./run and, with the rest, by ./test: a richer environment serves both.
STAMP = HOME / "installed-locks"


class PreparationError(Exception):
    """A step failed; the message says which and what to do."""


def prepare(locks: list[Path]) -> None:
    """Bring .venv and static/vendor up to date; quick when they are."""
    early_fetch = start_fetching_early()
    if not has_working_python():
        make_virtual_environment()
    install(locks)
    early_fetch.wait()
    # Fetches what is still missing: without an npm on the machine, that is everything.
    if run(PYTHON, "-P", VENDOR) != 0:
        raise PreparationError("The front-end files are missing, so the site cannot start.")


def start_fetching_early() -> subprocess.Popen[bytes]:
    """Let npm fetch the front-end files while pip installs; silent, for it is tried again."""
    return subprocess.Popen(
        [sys.executable, "-P", VENDOR],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def has_working_python() -> bool:
    """Whether .venv holds a Python that starts and is new enough: it may have been moved."""
    if not PYTHON.exists():
        return False
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([PYTHON, "-c", check], capture_output=True, check=False).returncode == 0


def make_virtual_environment() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise PreparationError(
            "This Python comes without pip. On Debian and Ubuntu: apt-get install python3-venv"
        )
    print("Making .venv", flush=True)
    if run(sys.executable, "-m", "venv", "--clear", HOME) != 0:
        raise PreparationError("The virtual environment .venv could not be made.")


def install(locks: list[Path]) -> None:
    """Install what ``locks`` pin, unless they are installed already."""
    wanted = {f"{lock.name} {digest(lock)}" for lock in locks}
    installed = set(STAMP.read_text().splitlines()) if STAMP.is_file() else set()
    if wanted <= installed:
        return
    print("Installing packages into .venv", flush=True)
    options = ["--require-hashes", "--quiet", "--no-input", "--disable-pip-version-check"]
    # Python compiles what is imported; compiling everything here takes longer than that.
    options.append("--no-compile")
    files = [part for lock in locks for part in ("-r", lock)]
    if run(PYTHON, "-m", "pip", "install", *options, *files) != 0:
        raise PreparationError(
            "The packages could not be installed. Is the package registry reachable? "
            "Then run the same command again."
        )
    compile_for_children()
    names = {lock.name for lock in locks}
    kept = {line for line in installed if line.split()[0] not in names}
    STAMP.write_text("\n".join(sorted(wanted | kept)))


def compile_for_children() -> None:
    """Have Python keep the compiled form of what a measuring child imports.

    Without it each would compile numpy and onnxruntime again, for 0.25 s: it may write nothing.
    """
    subprocess.run(
        [PYTHON, "-s", "-c", "import runner.measure, runner.onnx_file"],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", "ORT_DISABLE_TELEMETRY": "1"},
        stdin=subprocess.DEVNULL,
        check=False,
    )


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(*command: str | Path) -> int:
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode


def main() -> int:
    """Prepare everything; say in one line what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dev", action="store_true", help="also what ./test needs")
    is_for_development = parser.parse_args().dev
    try:
        prepare([LOCK, DEVELOPMENT_LOCK] if is_for_development else [LOCK])
    except PreparationError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
