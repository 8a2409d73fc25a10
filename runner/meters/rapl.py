"""The energy counters of processor packages and memory that Linux shows as powercap files.

Source: Linux, Documentation/power/powercap/powercap.rst and ABI/testing/sysfs-class-powercap.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.errors import MeterFailed
from runner.meters.base import Meter, Reading
from runner.meters.metered import Component
from runner.meters.none import MissingMeter

MICROJOULES_PER_J = 1_000_000
# The counters move about once in a millisecond: 0.25 s tells idle power to half a percent.
IDLE_S = 0.25
# The most that one socket is rated for (AMD EPYC 9965, Intel Xeon 6980P; 2024): a counter that
# could have come round unnoticed at this power is not believed.
MAX_SOCKET_POWER_W = 500
PACKAGE, MEMORY = "rapl-package", "rapl-dram"
# The kernel shows them to root alone since 2020 (CVE-2020-8694: they leak what others compute).
NEEDS_PERMISSION = (
    "reading needs permission: the user that measures may not read the powercap energy counters, "
    "which Linux shows to root only unless told otherwise"
)
HIDDEN = "the powercap energy counters are hidden from the process that measures (container)"
NO_MEMORY_COUNTER = "this machine's processor has no energy counter for its memory"

ReadText = Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Zone:
    """One counter: its folder, and the microjoules after which it starts again from 0."""

    folder: Path
    max_energy_uj: int


class RaplMeter(Meter):
    """The same counter of every socket, together."""

    idle_s = IDLE_S

    def __init__(
        self, name: str, covers: Component, zones: Sequence[Zone], read_text: ReadText
    ) -> None:
        self.name = name
        self.covers = covers
        self._zones = zones
        self._read_text = read_text

    def read(self) -> Reading:
        """Return each socket's counter, in microjoules."""
        at_s = time.monotonic()
        return Reading(at_s, tuple(self._counter_uj(zone) for zone in self._zones))

    def energy_j(self, before: Reading, after: Reading) -> float:
        """Return what all sockets drew; a counter may have started again from 0 once."""
        drawn_uj = 0.0
        for zone, start_uj, end_uj in zip(
            self._zones, before.counters, after.counters, strict=True
        ):
            _check_turn(zone, after.at_s - before.at_s)
            turn_uj = zone.max_energy_uj if end_uj < start_uj else 0
            if end_uj + turn_uj < start_uj:
                raise MeterFailed("a powercap energy counter ran backwards")
            drawn_uj += end_uj + turn_uj - start_uj
        return drawn_uj / MICROJOULES_PER_J

    def _counter_uj(self, zone: Zone) -> int:
        try:
            return int(self._read_text(zone.folder / "energy_uj"))
        except (OSError, ValueError) as error:
            raise MeterFailed("a powercap energy counter stopped answering") from error


def _check_turn(zone: Zone, duration_s: float) -> None:
    most_uj = MAX_SOCKET_POWER_W * duration_s * MICROJOULES_PER_J
    if 0 < zone.max_energy_uj < most_uj:
        raise MeterFailed("a powercap energy counter may have come round unnoticed")


def open_rapl(
    root: Path, *, is_virtual: bool | None, read_text: ReadText | None = None
) -> tuple[Meter, Meter]:
    """Return the meters of the processors and of the memory, from the files below ``root``.

    ``is_virtual`` explains the absence of both; ``read_text`` replaces how a file is read.
    """
    read_text = read_text or _read_ascii
    names = _names_by_folder(root, read_text)
    packages = [folder for folder, name in names.items() if name.startswith("package-")]
    memories = [folder for folder, name in names.items() if name == "dram"]
    why_none = _why_none(names, is_virtual=is_virtual)
    return (
        _open(PACKAGE, "cpu", packages, read_text) or MissingMeter(PACKAGE, "cpu", why_none),
        _open(MEMORY, "ram", memories, read_text)
        or MissingMeter(MEMORY, "ram", NO_MEMORY_COUNTER if packages else why_none),
    )


def _why_none(names: Mapping[Path, str], *, is_virtual: bool | None) -> str:
    if names and not any(names.values()):
        return HIDDEN
    absent = "this machine has no powercap energy counters"
    return f"{absent} (virtual machine)" if is_virtual else absent


def _names_by_folder(root: Path, read_text: ReadText) -> dict[Path, str]:
    # Zones within zones stand here too. "intel-rapl-mmio:*" counts the same packages once more,
    # and "psys", the whole of a laptop, has the packages in it: neither is added to them.
    names = {}
    for folder in sorted(root.glob("sys/class/powercap/intel-rapl:*")):
        try:
            names[folder] = read_text(folder / "name").strip()
        except (OSError, ValueError):
            names[folder] = ""
    return names


def _open(
    name: str, covers: Component, folders: Sequence[Path], read_text: ReadText
) -> Meter | None:
    if not folders:
        return None
    zones = [Zone(folder, _max_energy_uj(folder, read_text)) for folder in folders]
    try:
        for zone in zones:
            int(read_text(zone.folder / "energy_uj"))
    except PermissionError:
        return MissingMeter(name, covers, NEEDS_PERMISSION)
    except (OSError, ValueError):
        return MissingMeter(name, covers, "the powercap energy counters do not answer")
    return RaplMeter(name, covers, zones, read_text)


def _max_energy_uj(folder: Path, read_text: ReadText) -> int:
    try:
        return int(read_text(folder / "max_energy_range_uj"))
    except (OSError, ValueError):
        return 0


def _read_ascii(path: Path) -> str:
    return path.read_text(encoding="ascii")
