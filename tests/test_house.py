"""The rules of the house that no other tool checks."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_back_end

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("accounts", "benchmarks", "carbonsite", "footprint", "hardware", "runner")
LINES_PER_FUNCTION = 40
LINES_PER_FILE = 400
LINES_PER_MODELS = 500
FORBIDDEN_NAMES = {"utils", "helpers", "services", "managers", "core", "common", "signals"}
# Folders and hosts of one machine or one provider; a reader has neither.
PLACES = re.compile(
    r"/home/\w|/Users/\w|/root/|/work/|registry\.npmjs|pypi\.org|pythonhosted|deb\.debian"
)
UNFINISHED = re.compile(r"\b(TODO|FIXME)\b")
MADE_BY_TOOLS = {"requirements.txt", "requirements-dev.txt", "requirements-node.txt"}


def modules():
    for package in PACKAGES:
        yield from (
            path
            for path in sorted((ROOT / package).rglob("*.py"))
            if "migrations" not in path.parts
        )


def short(path):
    return str(path.relative_to(ROOT))


def committed_texts():
    """Every text that is, or is about to be, under version control, with its path."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    names = [name for name in listed.stdout.decode().split("\0") if name]
    if not names:
        pytest.skip("not in a git checkout")
    for path in sorted(ROOT / name for name in names):
        if path.is_file() and path.name not in MADE_BY_TOOLS and path != Path(__file__):
            try:
                yield path, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # a picture or a model


def test_no_function_is_longer_than_a_screen():
    too_long = [
        f"{short(path)}:{node.lineno} {node.name}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > LINES_PER_FUNCTION
    ]

    assert too_long == []


def test_no_file_is_longer_than_can_be_kept_in_mind():
    too_long = [
        short(path)
        for path in modules()
        if len(path.read_text().splitlines())
        > (LINES_PER_MODELS if path.name == "models.py" else LINES_PER_FILE)
    ]

    assert too_long == []


def test_no_module_is_a_drawer_for_odds_and_ends():
    assert [short(path) for path in modules() if path.stem in FORBIDDEN_NAMES] == []


def test_every_module_says_what_it_decides():
    mute = [
        short(path)
        for path in modules()
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert mute == []


def test_every_setting_has_its_line_in_the_example_and_no_other():
    read = re.findall(
        r"env\.\w+\(\s*\"([A-Z0-9_]+)\"", (ROOT / "carbonsite" / "settings.py").read_text()
    ) + re.findall(
        r"environ\.get\(\"([A-Z0-9_]+)\"", (ROOT / "carbonsite" / "gunicorn.py").read_text()
    )
    composed = re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text())
    example = re.findall(r"^#?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert sorted(example) == sorted({*read, *composed})


def _given_in(text):
    return dict(re.findall(r"^([A-Z0-9_]+)=(.*)$", text, re.MULTILINE))


def test_the_docs_have_every_setting_with_its_default():
    example = (ROOT / ".env.example").read_text()
    section = (ROOT / "docs" / "operations.md").read_text().partition("\n## Settings\n")[2]
    rows = re.findall(r"^\| (`.*?) \| (.*?) ?\| ", section.partition("\n## ")[0], re.MULTILINE)
    told = {}
    for names, defaults in rows:
        given = re.findall(r"`([^`]+)`", defaults)
        for place, name in enumerate(re.findall(r"`([A-Z0-9_]+)`", names)):
            told[name] = given[place] if given else None

    assert told == dict.fromkeys(re.findall(r"^#?([A-Z0-9_]+)=", example, re.MULTILINE)) | (
        _given_in(example)
    )


def test_the_defaults_of_the_example_are_the_settings_own(tmp_path):
    code = "import json; from carbonsite import settings; print(json.dumps({name: repr(value) "
    code += "for name, value in vars(settings).items() if name.isupper()}))"
    bare = {"PATH": os.environ["PATH"], "CARBONSITE_DATA": str(tmp_path), "SECRET_KEY": "x"}
    # Sets tell their members in one order.
    bare["PYTHONHASHSEED"] = "0"

    def settings_with(given):
        command = [sys.executable, "-c", code]
        return json.loads(subprocess.check_output(command, cwd=ROOT, env=bare | given, text=True))

    assert settings_with(_given_in((ROOT / ".env.example").read_text())) == settings_with({})


def test_nothing_names_a_place_that_its_reader_does_not_have():
    found = [
        f"{short(path)}: {match.group()}"
        for path, text in committed_texts()
        for match in [PLACES.search(text)]
        if match
    ]

    assert found == []


def test_nothing_is_marked_as_unfinished():
    found = [
        f"{short(path)}: {match.group()}"
        for path, text in committed_texts()
        for match in [UNFINISHED.search(text)]
        if match
    ]

    assert found == []


def test_every_package_is_pinned_with_its_hashes():
    for name in MADE_BY_TOOLS:
        pins = re.findall(r"^[a-z].*", (ROOT / name).read_text(), re.MULTILINE)

        assert pins
        assert all("==" in pin and pin.endswith("\\") for pin in pins), name
