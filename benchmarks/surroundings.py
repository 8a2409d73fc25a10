"""What two runs do not share: machine, software, settings and factors."""

from dataclasses import dataclass

from benchmarks.models import Run
from benchmarks.whose_values import are_told_to, identity_of, told_of
from hardware.models import CarbonIntensity


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that two runs do not share, as text."""

    name: str
    first: str
    second: str


def environment_difference(first: Run, second: Run, *, user=None) -> list[Difference]:
    """Return what differs between the surroundings of two runs, and only that.

    As ``user`` may be told it; None for a stranger.
    """
    values = _real_inputs(first, second, user)
    facts = (_facts(first, values[0]), _facts(second, values[1]))
    return [
        Difference(name, *(one.get(name, "not known") for one in facts))
        for name in dict.fromkeys([*facts[0], *facts[1]])
        if facts[0].get(name) != facts[1].get(name)
    ]


def _real_inputs(first: Run, second: Run, user) -> tuple[str, str]:
    """What the two were fed, in words that differ where, and only where, the real inputs do."""
    one, other = (
        told_of(run, is_told=are_told_to(user, run))["values_name"] or "none"
        for run in (first, second)
    )
    if identity_of(first) == identity_of(second):
        return one, one
    return (one, f"other {other}") if one == other else (one, other)


def _facts(run: Run, real_inputs: str) -> dict[str, str]:
    estimate, measurement = run.estimate, run.measurement
    facts = {
        "machine described": run.profile_name,
        "batch size": run.batch_size,
        "threads": run.intra_op_threads,
        "effort": run.get_effort_display(),
        "inputs": run.input_choices or "guesses",
        "real inputs": real_inputs,
        "CPU power (W)": estimate.cpu_power_w,
        "RAM power (W)": estimate.ram_power_w,
        "GPU power (W)": estimate.gpu_power_w,
        "PUE": estimate.pue,
        "carbon intensity (g/kWh)": estimate.intensity_g_per_kwh,
        "intensity of": f"{estimate.intensity_zone_name} {estimate.intensity_year}",
        "intensity counts": CarbonIntensity.Measure(estimate.intensity_measure).words,
        **_flat("machine", measurement.machine),
        **_flat("software", measurement.software),
    }
    return {name: str(value) for name, value in facts.items()}


def _flat(name: str, value) -> dict:
    if not isinstance(value, dict):
        return {name: value}
    flat: dict = {}
    for key, inner in value.items():
        flat |= _flat(f"{name}: {key}", inner)
    return flat
