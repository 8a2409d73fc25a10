"""Only the files of the allow-list reach the site, each with its licence."""

import json

import pytest

from carbonsite import vendor

pytestmark = pytest.mark.one_back_end


def packages_with_everything(folder):
    for package, names in vendor.FILES_BY_PACKAGE.items():
        for name in [*names, "package.json", "dist/unwanted.js"]:
            file = folder / package / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{package} {name}")
    return folder


def test_only_the_files_of_the_list_are_copied(tmp_path):
    packages = packages_with_everything(tmp_path / "node_modules")

    vendor.copy_allowed(packages, tmp_path / "vendor")

    copied = {str(path.relative_to(tmp_path / "vendor")) for path in tmp_path.glob("vendor/*/*")}
    assert "chart.js/chart.umd.min.js" in copied
    assert len(copied) == sum(len(names) for names in vendor.FILES_BY_PACKAGE.values())


def test_a_file_that_a_package_no_longer_has_is_named(tmp_path):
    packages = packages_with_everything(tmp_path / "node_modules")
    (packages / "hammerjs" / "hammer.min.js").unlink()

    with pytest.raises(vendor.VendorError, match="hammerjs has no hammer.min.js"):
        vendor.copy_allowed(packages, tmp_path / "vendor")


def test_every_package_brings_its_licence():
    assert all("LICENSE.md" in names for names in vendor.FILES_BY_PACKAGE.values())


def test_the_lock_file_pins_every_package_of_the_list_by_digest():
    locked = json.loads((vendor.ROOT / "package-lock.json").read_text())["packages"]

    for package in vendor.FILES_BY_PACKAGE:
        assert locked[f"node_modules/{package}"]["integrity"].startswith("sha512-")
    assert not [name for name, facts in locked.items() if "resolved" in facts]


def test_files_of_another_list_or_lock_are_fetched_again(tmp_path):
    (tmp_path / vendor.STAMP_NAME).write_text("of an earlier list")

    assert not vendor.is_current(tmp_path)
