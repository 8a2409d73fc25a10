"""The energy of NVIDIA GPUs, asked of the driver's own library where there is one.

Source: NVIDIA Management Library API reference, "Device Queries" and "nvmlReturn_t".
"""

import ctypes
import time
from collections.abc import Callable, Sequence
from typing import Any

from runner.errors import MeterFailed
from runner.meters.base import Meter, Reading
from runner.meters.none import MissingMeter

LIBRARY = "libnvidia-ml.so.1"
NAME = "nvml"
MILLIJOULES_PER_J = 1_000
MILLIWATTS_PER_W = 1_000
# The driver renews its figures every 20 to 100 ms, by model.
IDLE_S = 1.0

SUCCESS = 0
REASONS_BY_CODE = {
    3: "the NVIDIA driver does not tell the energy or power of this GPU",
    4: "reading needs permission: the user that measures may not ask the NVIDIA driver",
    9: "the NVIDIA driver is not loaded",
}

Library = Any
Devices = Sequence[ctypes.c_void_p]


class _GpuMeter(Meter):
    """A meter of all GPUs together, as the driver's library tells it of each."""

    name = NAME
    covers = "gpu"
    idle_s = IDLE_S

    def __init__(self, library: Library, devices: Devices) -> None:
        self._library = library
        self._devices = devices


class EnergyCounterMeter(_GpuMeter):
    """The driver's counters of energy, which GPUs have from Volta (2017) on."""

    def read(self) -> Reading:
        """Return each GPU's counter, in millijoules."""
        at_s = time.monotonic()
        return Reading(at_s, tuple(_energy_mj(self._library, one) for one in self._devices))

    def energy_j(self, before: Reading, after: Reading) -> float:
        """Return what all GPUs drew."""
        # 64 bits of millijoules do not come round; a driver loaded anew starts from 0.
        if any(end < start for start, end in zip(before.counters, after.counters, strict=True)):
            raise MeterFailed("a GPU's energy counter started again while it was read")
        return (sum(after.counters) - sum(before.counters)) / MILLIJOULES_PER_J


class PowerMeter(_GpuMeter):
    """The power that older GPUs tell, integrated: the mean of two readings for the time between."""

    def read(self) -> Reading:
        """Return each GPU's power now, in milliwatts."""
        at_s = time.monotonic()
        return Reading(at_s, tuple(_power_mw(self._library, one) for one in self._devices))

    def energy_j(self, before: Reading, after: Reading) -> float:
        """Return what all GPUs drew, by the trapezoid rule."""
        mean_mw = (sum(before.counters) + sum(after.counters)) / 2
        return mean_mw / MILLIWATTS_PER_W * (after.at_s - before.at_s)


def open_nvml(load: Callable[[], Library] | None = None) -> Meter:
    """Return the meter of this machine's NVIDIA GPUs; ``load`` replaces how the library is got."""
    try:
        library = (load or _load)()
    except OSError:
        return MissingMeter(NAME, "gpu", "this machine has no NVIDIA driver")
    try:
        _ask(library, "nvmlInit_v2")
        devices = _devices(library)
        if not devices:
            return MissingMeter(NAME, "gpu", "this machine has no NVIDIA GPU")
        return _best_meter(library, devices)
    except MeterFailed as error:
        return MissingMeter(NAME, "gpu", error.message)


def _load() -> Library:
    return ctypes.CDLL(LIBRARY)


def _best_meter(library: Library, devices: Devices) -> Meter:
    by_energy = EnergyCounterMeter(library, devices)
    try:
        by_energy.read()
        return by_energy
    except MeterFailed:
        by_power = PowerMeter(library, devices)
        by_power.read()
        return by_power


def _devices(library: Library) -> list[ctypes.c_void_p]:
    count = ctypes.c_uint()
    _ask(library, "nvmlDeviceGetCount_v2", ctypes.byref(count))
    devices = []
    for index in range(count.value):
        device = ctypes.c_void_p()
        place = ctypes.c_uint(index)
        _ask(library, "nvmlDeviceGetHandleByIndex_v2", place, ctypes.byref(device))
        devices.append(device)
    return devices


def _energy_mj(library: Library, device: ctypes.c_void_p) -> int:
    energy_mj = ctypes.c_ulonglong()
    _ask(library, "nvmlDeviceGetTotalEnergyConsumption", device, ctypes.byref(energy_mj))
    return energy_mj.value


def _power_mw(library: Library, device: ctypes.c_void_p) -> int:
    power_mw = ctypes.c_uint()
    _ask(library, "nvmlDeviceGetPowerUsage", device, ctypes.byref(power_mw))
    return power_mw.value


def _ask(library: Library, name: str, *arguments: object) -> None:
    function = getattr(library, name, None)
    if function is None:
        raise MeterFailed("the NVIDIA driver is too old to be asked")
    code = function(*arguments)
    if code != SUCCESS:
        otherwise = f"the NVIDIA driver answered with error {code}"
        raise MeterFailed(REASONS_BY_CODE.get(code, otherwise))
