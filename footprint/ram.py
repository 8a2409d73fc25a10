"""How much power memory is taken to draw: the stated rule, and the other published ones.

Figures of 2026: the rule and each alternative with the tool that publishes it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from footprint.checks import require_not_negative

# 3 W for every 8 GB of DDR3 or DDR4. Source: Crucial, as used by CodeCarbon 2.3.4.
RULE_W_PER_GB = 3 / 8

# Green Algorithms 3.0, reference values.
GREEN_ALGORITHMS_W_PER_GB = 0.3725
# Cloud Carbon Footprint methodology: mean of Crucial 0.375 and Micron 0.4083.
CLOUD_CARBON_FOOTPRINT_W_PER_GB = 0.392
# boaviztapi up to 2.4.1, consumption profiles.
BOAVIZTA_2_4_W_PER_GB = 0.284
# boaviztapi 2.5.0 at full load: a fixed part per 32 GB module and a part per GB.
BOAVIZTA_2_5_W_PER_MODULE = 3.0
BOAVIZTA_2_5_W_PER_GB = 0.055
BOAVIZTA_2_5_MODULE_GB = 32

# CodeCarbon 3.3.2: watts per module, never less than two modules' worth.
CODECARBON_X86_W_PER_MODULE = 5.0
CODECARBON_ARM_W_PER_MODULE = 1.5
CODECARBON_MODULE_COUNT_MIN = 2
CODECARBON_MODULE_COUNT_MAX = 32
# CodeCarbon 3.3.2: (memory up to this many GB, is taken to be this many modules).
CODECARBON_MODULE_COUNTS = ((16, 2), (64, 4), (128, 8))
CODECARBON_LARGE_MODULES_GB = (128, 64, 32, 16)
# CodeCarbon 3.3.2: (so many further modules, each at this share of a module's power).
CODECARBON_MODULE_TIERS = ((4, 1.0), (4, 0.9), (8, 0.8), (16, 0.7))


@dataclass(frozen=True, slots=True)
class RamModel:
    """A published way to tell the power of memory from its size in GB."""

    key: str
    name: str
    source: str
    power_w: Callable[[float], float]


def ram_power_w(ram_gb: float) -> float:
    """Return the power of ``ram_gb`` of memory by the stated rule, 3 W per 8 GB.

    Raises ValueError when ``ram_gb`` is negative or not finite.

    >>> ram_power_w(8)
    3.0
    """
    require_not_negative(ram_gb=ram_gb)
    return ram_gb * RULE_W_PER_GB


def linear(w_per_gb: float) -> Callable[[float], float]:
    """Return the model that takes ``w_per_gb`` for each GB."""

    def power_w(ram_gb: float) -> float:
        require_not_negative(ram_gb=ram_gb)
        return ram_gb * w_per_gb

    return power_w


def per_module(
    *, w_per_module: float, w_per_gb: float, module_gb: float
) -> Callable[[float], float]:
    """Return the model of a fixed power for each module of ``module_gb``, and one for each GB."""

    def power_w(ram_gb: float) -> float:
        require_not_negative(ram_gb=ram_gb)
        return math.ceil(ram_gb / module_gb) * w_per_module + ram_gb * w_per_gb

    return power_w


def _codecarbon_module_count(ram_gb: float) -> int:
    for up_to_gb, module_count in CODECARBON_MODULE_COUNTS:
        if ram_gb <= up_to_gb:
            return module_count
    # The largest usual module of which the machine holds at least eight.
    module_gb = next(size for size in CODECARBON_LARGE_MODULES_GB if size * 8 <= ram_gb)
    return min(math.ceil(ram_gb / module_gb), CODECARBON_MODULE_COUNT_MAX)


def tiered(w_per_module: float) -> Callable[[float], float]:
    """Return CodeCarbon's model: modules guessed from the size, the later ones drawing less."""

    def power_w(ram_gb: float) -> float:
        require_not_negative(ram_gb=ram_gb)
        left_count = max(_codecarbon_module_count(ram_gb), CODECARBON_MODULE_COUNT_MIN)
        total_w = 0.0
        for tier_count, share_ratio in CODECARBON_MODULE_TIERS:
            in_tier_count = min(left_count, tier_count)
            total_w += in_tier_count * w_per_module * share_ratio
            left_count -= in_tier_count
        return total_w

    return power_w


RAM_MODELS: tuple[RamModel, ...] = (
    RamModel(
        "three-watts-per-8-gb",
        "RAM at 3 W per 8 GB",
        "Crucial, as used by CodeCarbon 2.3.4",
        ram_power_w,
    ),
    RamModel(
        "green-algorithms",
        "RAM at 0.3725 W/GB",
        "Green Algorithms 3.0, reference values",
        linear(GREEN_ALGORITHMS_W_PER_GB),
    ),
    RamModel(
        "cloud-carbon-footprint",
        "RAM at 0.392 W/GB",
        "Cloud Carbon Footprint methodology (mean of Crucial and Micron)",
        linear(CLOUD_CARBON_FOOTPRINT_W_PER_GB),
    ),
    RamModel(
        "boavizta-2.4",
        "RAM at 0.284 W/GB",
        "boaviztapi up to 2.4.1, consumption profiles",
        linear(BOAVIZTA_2_4_W_PER_GB),
    ),
    RamModel(
        "boavizta-2.5",
        "RAM at 3 W per 32 GB module + 0.055 W/GB",
        "boaviztapi 2.5.0, consumption profiles, full load",
        per_module(
            w_per_module=BOAVIZTA_2_5_W_PER_MODULE,
            w_per_gb=BOAVIZTA_2_5_W_PER_GB,
            module_gb=BOAVIZTA_2_5_MODULE_GB,
        ),
    ),
    RamModel(
        "codecarbon-3-x86",
        "RAM at 5 W per module",
        "CodeCarbon 3.3.2, x86 machines",
        tiered(CODECARBON_X86_W_PER_MODULE),
    ),
    RamModel(
        "codecarbon-3-arm",
        "RAM at 1.5 W per module",
        "CodeCarbon 3.3.2, ARM machines",
        tiered(CODECARBON_ARM_W_PER_MODULE),
    ),
)


@dataclass(frozen=True, slots=True)
class Memory:
    """A machine's memory, and the models that its power is told by; this version's by default."""

    ram_gb: float
    models: Sequence[RamModel] = RAM_MODELS
