from pathlib import Path

import pytest

from runner.errors import MeterFailed
from runner.meters.base import Reading
from runner.meters.rapl import open_rapl

POWERCAP = "sys/class/powercap"


def a_zone(root, folder, name, *, energy_uj=0, max_energy_uj=100_000_000_000):
    zone = root / POWERCAP / folder
    zone.mkdir(parents=True, exist_ok=True)
    (zone / "name").write_text(f"{name}\n")
    (zone / "energy_uj").write_text(f"{energy_uj}\n")
    (zone / "max_energy_range_uj").write_text(f"{max_energy_uj}\n")
    return zone / "energy_uj"


def opened(root, **more):
    return open_rapl(root, is_virtual=False, **more)


def drawn_j(meter, change):
    before = meter.read()
    change()
    return meter.energy_j(before, meter.read())


def test_one_socket_is_read_in_joules(tmp_path):
    counter = a_zone(tmp_path, "intel-rapl:0", "package-0", energy_uj=5_000_000)

    cpu, _ = opened(tmp_path)

    assert (cpu.name, cpu.covers, cpu.is_available) == ("rapl-package", "cpu", True)
    assert drawn_j(cpu, lambda: counter.write_text("7500000")) == 2.5


def test_two_sockets_are_added_up(tmp_path):
    first = a_zone(tmp_path, "intel-rapl:0", "package-0")
    second = a_zone(tmp_path, "intel-rapl:1", "package-1")

    cpu, _ = opened(tmp_path)

    def both_draw():
        first.write_text("1000000")
        second.write_text("3000000")

    assert drawn_j(cpu, both_draw) == 4.0


def test_memory_is_metered_apart_from_the_processor(tmp_path):
    a_zone(tmp_path, "intel-rapl:0", "package-0")
    counter = a_zone(tmp_path, "intel-rapl:0:1", "dram")

    cpu, ram = opened(tmp_path)

    assert (ram.name, ram.covers, ram.is_available) == ("rapl-dram", "ram", True)
    assert drawn_j(ram, lambda: counter.write_text("250000")) == 0.25
    assert drawn_j(cpu, lambda: counter.write_text("500000")) == 0.0


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("intel-rapl:0:0", "core"),
        ("intel-rapl:0:1", "uncore"),
        ("intel-rapl:1", "psys"),
        ("intel-rapl-mmio:0", "package-0"),
    ],
)
def test_what_is_counted_elsewhere_already_is_not_added(tmp_path, folder, name):
    counter = a_zone(tmp_path, "intel-rapl:0", "package-0")
    other = a_zone(tmp_path, folder, name)
    cpu, _ = opened(tmp_path)

    def both_draw():
        counter.write_text("1000000")
        other.write_text("900000")

    assert drawn_j(cpu, both_draw) == 1.0


def test_a_counter_that_came_round_is_continued(tmp_path):
    counter = a_zone(tmp_path, "intel-rapl:0", "package-0", energy_uj=99_999_000_000)

    cpu, _ = opened(tmp_path)

    assert drawn_j(cpu, lambda: counter.write_text("500000")) == 1.5


def test_only_the_socket_that_came_round_is_continued(tmp_path):
    turn = {"energy_uj": 99_999_000_000}
    first = a_zone(tmp_path, "intel-rapl:0", "package-0", **turn)
    second = a_zone(tmp_path, "intel-rapl:1", "package-1", **turn)
    cpu, _ = opened(tmp_path)

    def both_draw():
        first.write_text("99999500000")
        second.write_text("0")

    assert drawn_j(cpu, both_draw) == 1.5


def test_a_counter_that_runs_backwards_is_not_believed(tmp_path):
    counter = a_zone(tmp_path, "intel-rapl:0", "package-0", energy_uj=9, max_energy_uj=0)
    cpu, _ = opened(tmp_path)

    with pytest.raises(MeterFailed, match="backwards"):
        drawn_j(cpu, lambda: counter.write_text("5"))


def test_a_counter_that_may_have_come_round_unnoticed_is_not_believed(tmp_path):
    # 65 kJ last 130 s at 500 W, the most that a socket is rated for.
    a_zone(tmp_path, "intel-rapl:0", "package-0", max_energy_uj=65_000_000_000)
    cpu, _ = opened(tmp_path)

    assert cpu.energy_j(Reading(0.0, (7_000_000,)), Reading(129.0, (8_000_000,))) == 1.0
    with pytest.raises(MeterFailed, match="unnoticed"):
        cpu.energy_j(Reading(0.0, (7_000_000,)), Reading(131.0, (8_000_000,)))


def test_counters_hidden_from_a_container_say_so(tmp_path):
    (tmp_path / POWERCAP).mkdir(parents=True)
    (tmp_path / POWERCAP / "intel-rapl:0").symlink_to(tmp_path / "masked")

    for meter in opened(tmp_path):
        assert meter.reason.endswith("hidden from the process that measures (container)")


def test_counters_that_only_root_may_read_say_so(tmp_path):
    a_zone(tmp_path, "intel-rapl:0", "package-0")
    a_zone(tmp_path, "intel-rapl:0:0", "dram")

    # Who runs the tests may be root, to whom no file is forbidden.
    def read_as_nobody(path: Path) -> str:
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied", str(path))
        return path.read_text()

    for meter in opened(tmp_path, read_text=read_as_nobody):
        assert not meter.is_available
        assert meter.reason.startswith("reading needs permission")


def test_a_machine_without_counters_says_so(tmp_path):
    for meter in opened(tmp_path):
        assert meter.reason == "this machine has no powercap energy counters"


def test_a_virtual_machine_without_counters_says_why(tmp_path):
    for meter in open_rapl(tmp_path, is_virtual=True):
        assert not meter.is_available
        assert meter.reason == "this machine has no powercap energy counters (virtual machine)"


def test_a_processor_without_a_counter_for_memory_says_so(tmp_path):
    a_zone(tmp_path, "intel-rapl:0", "package-0")

    cpu, ram = opened(tmp_path)

    assert cpu.is_available
    assert ram.reason == "this machine's processor has no energy counter for its memory"


def test_a_counter_that_is_no_number_is_not_read(tmp_path):
    a_zone(tmp_path, "intel-rapl:0", "package-0", energy_uj="soon")

    cpu, _ = opened(tmp_path)

    assert cpu.reason == "the powercap energy counters do not answer"


def test_a_counter_that_goes_away_is_told(tmp_path):
    counter = a_zone(tmp_path, "intel-rapl:0", "package-0")
    cpu, _ = opened(tmp_path)
    counter.unlink()

    with pytest.raises(MeterFailed, match="stopped answering"):
        cpu.read()
