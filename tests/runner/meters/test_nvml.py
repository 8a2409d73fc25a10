import ctypes

import pytest

from runner.errors import MeterFailed
from runner.meters.base import Reading
from runner.meters.nvml import EnergyCounterMeter, PowerMeter, open_nvml

NOT_SUPPORTED, NO_PERMISSION, NOT_LOADED, GPU_IS_LOST = 3, 4, 9, 15


class FakeDriver:
    """The few functions of NVIDIA's library that are asked, each GPU's figures in a list."""

    def __init__(self, *, energies_mj=None, powers_mw=None, init_code=0, refusal=NOT_SUPPORTED):
        self.energies_mj = energies_mj
        self.powers_mw = powers_mw
        self.init_code = init_code
        self.refusal = refusal

    def nvmlInit_v2(self):
        return self.init_code

    def nvmlDeviceGetCount_v2(self, count):
        count._obj.value = len(self.energies_mj or self.powers_mw or [])
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index, device):
        device._obj.value = index.value + 1
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, device, energy_mj):
        return self._fill(energy_mj, self.energies_mj, device)

    def nvmlDeviceGetPowerUsage(self, device, power_mw):
        return self._fill(power_mw, self.powers_mw, device)

    def _fill(self, answer, figures, device):
        if not isinstance(device, ctypes.c_void_p) or figures is None:
            return self.refusal
        answer._obj.value = figures[device.value - 1]
        return 0


def opened(driver):
    return open_nvml(lambda: driver)


def test_the_energy_counters_of_all_gpus_are_added_up():
    driver = FakeDriver(energies_mj=[5_000, 70_000])
    meter = opened(driver)

    before = meter.read()
    driver.energies_mj = [6_500, 72_000]

    assert isinstance(meter, EnergyCounterMeter)
    assert (meter.covers, meter.is_available) == ("gpu", True)
    assert meter.energy_j(before, meter.read()) == 3.5


def test_an_older_gpu_has_its_power_integrated():
    meter = opened(FakeDriver(powers_mw=[40_000]))

    energy_j = meter.energy_j(Reading(10.0, (40_000,)), Reading(12.0, (60_000,)))

    assert isinstance(meter, PowerMeter)
    assert meter.read().counters == (40_000,)
    assert energy_j == 100.0


def test_a_machine_without_the_drivers_library_says_so():
    def load():
        raise OSError("libnvidia-ml.so.1: cannot open shared object file")

    assert open_nvml(load).reason == "this machine has no NVIDIA driver"


@pytest.mark.parametrize(
    ("driver", "reason"),
    [
        (FakeDriver(energies_mj=[1], init_code=NOT_LOADED), "the NVIDIA driver is not loaded"),
        (FakeDriver(energies_mj=[1], init_code=999), "the NVIDIA driver answered with error 999"),
        (FakeDriver(energies_mj=[]), "this machine has no NVIDIA GPU"),
        (object(), "the NVIDIA driver is too old to be asked"),
        (
            FakeDriver(energies_mj=[1], init_code=NO_PERMISSION),
            "reading needs permission: the user that measures may not ask the NVIDIA driver",
        ),
    ],
)
def test_a_driver_that_does_not_answer_says_why(driver, reason):
    meter = opened(driver)

    assert not meter.is_available
    assert meter.reason == reason


def test_a_gpu_that_tells_neither_energy_nor_power_says_so():
    driver = FakeDriver(energies_mj=[1])
    driver.nvmlDeviceGetTotalEnergyConsumption = lambda device, energy_mj: NOT_SUPPORTED

    expected = "the NVIDIA driver does not tell the energy or power of this GPU"
    assert opened(driver).reason == expected


def test_a_gpu_that_is_lost_while_it_is_read_is_told():
    driver = FakeDriver(energies_mj=[1])
    meter = opened(driver)
    driver.energies_mj, driver.refusal = None, GPU_IS_LOST

    with pytest.raises(MeterFailed, match="error 15"):
        meter.read()


def test_a_counter_that_started_again_is_not_believed():
    meter = opened(FakeDriver(energies_mj=[1]))

    with pytest.raises(MeterFailed, match="started again"):
        meter.energy_j(Reading(0.0, (9_000,)), Reading(1.0, (10,)))
