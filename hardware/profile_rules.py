"""What a hardware profile must be before it is stored; form and API both ask here."""

import sys

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import audit
from hardware.models import (
    MAX_EMBODIED_KG,
    MAX_LIFETIME_YEARS,
    MAX_PUE,
    MAX_TDP_W,
    HardwareProfile,
    Processor,
)

MAX_PROCESSOR_COUNT = 1024
MAX_RAM_GB = 1_000_000
MAX_RAM_POWER_W = 100_000
EMBODIED_RULE = "An embodied emission is between 0 and 1,000,000 kg of CO₂ equivalent."


def check_profile(profile: HardwareProfile) -> None:
    """Raise ValidationError, by field, with everything that is wrong with ``profile``."""
    errors: dict[str, str] = {}
    _check_numbers(profile, errors)
    _check_embodied(profile, errors)
    _check_pue_figure(profile, errors)
    _check_embodied_figure(profile, errors)
    _check_processor(profile, "cpu", errors)
    if profile.gpu_count:
        _check_processor(profile, "gpu", errors)
    if not errors and profile.total_power_w <= 0:
        errors["cpu_tdp_w"] = (
            "This machine would draw no power at all: give at least its CPU a TDP above 0 W."
        )
    _check_name(profile, errors)
    if errors:
        raise ValidationError(errors)


def save_profile(profile: HardwareProfile) -> HardwareProfile:
    """Check ``profile`` and store it; ValidationError by field when it cannot be."""
    check_profile(profile)
    try:
        with transaction.atomic():
            audit.note_visibility(profile, actor=profile.owner)
            profile.save()
    except IntegrityError as failure:
        # Two requests with one name passed the check together; the database let in the first.
        raise ValidationError({"name": _name_taken(profile)}) from failure
    return profile


def _check_numbers(profile: HardwareProfile, errors: dict[str, str]) -> None:
    ranges = {
        "pue": (1, MAX_PUE, "The PUE is a ratio from 1 (no overhead) to 5."),
        "cpu_count": (1, MAX_PROCESSOR_COUNT, "A machine has 1 to 1,024 CPUs."),
        "gpu_count": (0, MAX_PROCESSOR_COUNT, "A machine has 0 to 1,024 GPUs."),
        "cpu_tdp_w": (0, MAX_TDP_W, "A CPU's TDP is between 0 and 5,000 watts."),
        "gpu_tdp_w": (0, MAX_TDP_W, "A GPU's TDP is between 0 and 5,000 watts."),
        "ram_gb": (0, MAX_RAM_GB, "RAM is between 0 and 1,000,000 GB."),
        "ram_power_w": (0, MAX_RAM_POWER_W, "The RAM's power is between 0 and 100,000 watts."),
        "embodied_kg_co2e": (0, MAX_EMBODIED_KG, EMBODIED_RULE),
        "lifetime_years": (0.1, MAX_LIFETIME_YEARS, "A lifetime is between 0.1 and 100 years."),
    }
    may_be_unset = {"cpu_tdp_w", "gpu_tdp_w", "ram_power_w", "embodied_kg_co2e", "lifetime_years"}
    for field, (lowest, highest, rule) in ranges.items():
        value = getattr(profile, field)
        if value is None and field in may_be_unset:
            continue
        # NaN is in no range; a whole number of hundreds of digits can be compared, not converted.
        if value is None or not lowest <= value <= highest:
            errors[field] = f"{rule} You gave {_spoken_number(value)}."


def _check_embodied(profile: HardwareProfile, errors: dict[str, str]) -> None:
    is_known = profile.embodied_kg_co2e is not None
    if is_known and profile.lifetime_years is None:
        errors["lifetime_years"] = (
            "Say for how many years the machine is used: its embodied emission is shared out "
            "over them."
        )
    elif not is_known and profile.lifetime_years is not None:
        errors["embodied_kg_co2e"] = (
            "Say how many kilograms of CO₂ making the machine has emitted, or clear its lifetime."
        )


def _check_pue_figure(profile: HardwareProfile, errors: dict[str, str]) -> None:
    # A row that has changed since is no fault of the profile: only a new choice is held to it.
    figure = profile.pue_figure
    if figure is None or "pue" in errors or figure.pue == profile.pue:
        return
    stored = HardwareProfile.objects.filter(
        pk=profile.pk, pue_figure=figure, pue=profile.pue
    ).exists()
    if not stored:
        errors["pue"] = (
            f"The table's PUE of {figure} is {figure.pue:g}, and you gave {profile.pue:g}: take "
            "one of them."
        )


def _check_embodied_figure(profile: HardwareProfile, errors: dict[str, str]) -> None:
    figure, kg_co2e = profile.embodied_figure, profile.embodied_kg_co2e
    if figure is None or "embodied_kg_co2e" in errors or figure.kg_co2e == kg_co2e:
        return
    stored = HardwareProfile.objects.filter(
        pk=profile.pk, embodied_figure=figure, embodied_kg_co2e=kg_co2e
    ).exists()
    if not stored:
        errors["embodied_kg_co2e"] = (
            f"The table's figure of {figure} is {figure.kg_co2e:g} kg, and you gave "
            f"{_spoken_number(kg_co2e)}: take one of them."
        )


def _spoken_number(value: float | None) -> str:
    if value is None:
        return "nothing"
    return f"{value:g}" if abs(value) < sys.float_info.max else "a number beyond all bounds"


def _check_processor(profile: HardwareProfile, kind: str, errors: dict[str, str]) -> None:
    label = kind.upper()
    row: Processor | None = getattr(profile, kind)
    typed_name: str = getattr(profile, f"{kind}_name")
    if row is not None and row.kind != kind:
        errors[kind] = f"{row} is a {row.get_kind_display()}: choose a {label} here."
    elif row is None and getattr(profile, f"{kind}_tdp_w") is None:
        if typed_name:
            errors.setdefault(
                f"{kind}_tdp_w",
                f"“{typed_name}” is not in the table, so its power is not known: type its TDP in "
                f"watts (the maker's page has it), or choose a {label} from the list.",
            )
        else:
            errors[kind] = f"Choose a {label} from the list, or type its name and its TDP."


def _check_name(profile: HardwareProfile, errors: dict[str, str]) -> None:
    if not profile.name.strip():
        errors["name"] = "Give the machine a name, so that you find it again."
        return
    namesakes = HardwareProfile.objects.filter(owner_id=profile.owner_id, name=profile.name)
    if namesakes.exclude(pk=profile.pk).exists():
        errors["name"] = _name_taken(profile)


def _name_taken(profile: HardwareProfile) -> str:
    return f"You already have a machine called “{profile.name}”: give this one another name."
