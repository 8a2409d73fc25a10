"""What the page of a finished run shows beside the figures it stores, each with its origin."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import cage
from benchmarks.grading import grade_of, is_same_cpu
from benchmarks.models import Estimate, Measurement, Run
from footprint.equivalents import equivalence_sentence
from footprint.grade import Grade
from footprint.samples import Bin, histogram
from footprint.scaling import Scaled, standard_scales
from hardware.assumptions import PowerOrigin, SourcedAssumptions
from hardware.published import published_equivalents

# Of the table of equivalences, the two that a result names.
EQUIVALENT_KEYS = ("car_km", "smartphone_charge")

LATENCY_FIGURES = (
    ("mean_s", "Mean", "The grams rest on this one: energy adds up, and so does the mean."),
    ("median_s", "Median", "Half of the samples were faster."),
    ("p90_s", "90th percentile", "9 of 10 samples were faster."),
    ("p95_s", "95th percentile", "19 of 20 samples were faster."),
    ("p99_s", "99th percentile", "99 of 100 samples were faster."),
    ("stdev_s", "Standard deviation", "How far single samples stray from the mean."),
    ("min_s", "Fastest", ""),
    ("max_s", "Slowest", ""),
)
MACHINE_LABELS = {
    "cpu": "Processor",
    "core_count": "Cores",
    "architecture": "Architecture",
    "os": "System",
    "kernel": "Kernel",
    "is_virtual": "Virtual machine",
    "governor": "Frequency governor",
    "cache_bytes": "Caches",
    "fingerprint": "Fingerprint",
}
METER_LABELS = {
    "rapl-package": "Processor (RAPL)",
    "rapl-dram": "Memory (RAPL)",
    "nvml": "GPU (NVML)",
}
SOFTWARE_LABELS = {
    "onnxruntime": "onnxruntime",
    "provider": "Execution provider",
    "python": "Python",
    "numpy": "NumPy",
    "engine_version": "Measuring engine",
    "provider_options": "Provider options",
    "session_options": "Session options",
    "fingerprint": "Fingerprint",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One latency figure, in seconds, with what it means."""

    label: str
    value_s: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Component:
    """What one part of the machine took; ``origin`` is None for the data centre's overhead."""

    key: str
    label: str
    power_w: float | None
    energy_kwh: float
    start_percent: float
    share_percent: float
    origin: PowerOrigin | None


@dataclass(frozen=True, slots=True)
class MeterRow:
    """One meter beside the rated figures of what it covers; ``reason`` where it is missing.

    ``ratio`` is metered over rated energy, both without the PUE; None where nothing is rated.
    """

    label: str
    covers: str
    reason: str
    power_w: float | None
    idle_power_w: float | None
    metered_energy_kwh: float | None
    rated_energy_kwh: float

    @property
    def ratio(self) -> float | None:
        if self.metered_energy_kwh is None or not self.rated_energy_kwh:
            return None
        return self.metered_energy_kwh / self.rated_energy_kwh


@dataclass(frozen=True, slots=True)
class RangeRow:
    """What one published model, or one year's intensity, gives for the run."""

    name: str
    power_w: float
    emission_g: float
    source: str
    is_low: bool
    is_high: bool


@dataclass(frozen=True, slots=True)
class RunReport:
    """A finished run, ready to be read."""

    run: Run
    measurement: Measurement
    estimate: Estimate
    assumptions: SourcedAssumptions

    @property
    def grade(self) -> Grade:
        """How sure the result is, and why."""
        return grade_of(self.run)

    @property
    def range_rows(self) -> list["RangeRow"]:
        """What each model of power and each year says, with the lowest and the highest marked."""
        estimate = self.estimate
        return [
            RangeRow(
                **one,
                is_low=one["emission_g"] == estimate.low_g,
                is_high=one["emission_g"] == estimate.high_g,
            )
            for one in estimate.power_models
        ]

    @property
    def low_row(self) -> "RangeRow | None":
        return next((row for row in self.range_rows if row.is_low), None)

    @property
    def high_row(self) -> "RangeRow | None":
        return next((row for row in self.range_rows if row.is_high), None)

    @property
    def knows_years(self) -> bool:
        """Whether the range holds the intensities of several years."""
        return self.assumptions.recent is not None

    @property
    def earlier_estimates(self) -> list[Estimate]:
        """The estimates that a re-pricing has replaced, newest first."""
        return [one for one in self.run.estimates.all() if not one.is_headline]

    @property
    def latency_figures(self) -> list[Figure]:
        return [
            Figure(label, getattr(self.measurement, name), meaning)
            for name, label, meaning in LATENCY_FIGURES
        ]

    @property
    def components(self) -> list[Component]:
        """CPU, RAM, GPU where there is one, and the overhead where there is any; they add up."""
        estimate, origins = self.estimate, self.assumptions
        rows = [
            ("cpu", "CPU", estimate.cpu_power_w, estimate.cpu_energy_kwh, origins.cpu),
            ("ram", "RAM", estimate.ram_power_w, estimate.ram_energy_kwh, origins.ram),
        ]
        if origins.gpu is not None:
            rows.append(("gpu", "GPU", estimate.gpu_power_w, estimate.gpu_energy_kwh, origins.gpu))
        overhead_kwh = estimate.energy_kwh - sum(energy_kwh for _, _, _, energy_kwh, _ in rows)
        if estimate.pue > 1:
            rows.append(("overhead", "Cooling and overhead", None, overhead_kwh, None))
        components, start_percent = [], 0.0
        for key, label, power_w, energy_kwh, origin in rows:
            share_percent = self._share_percent(energy_kwh)
            components.append(
                Component(key, label, power_w, energy_kwh, start_percent, share_percent, origin)
            )
            start_percent += share_percent
        return components

    @property
    def working_meters(self) -> list[MeterRow]:
        return [row for row in self._meters() if not row.reason]

    @property
    def missing_meters(self) -> list[MeterRow]:
        return [row for row in self._meters() if row.reason]

    @property
    def gpu_was_only_watched(self) -> bool:
        """Whether a GPU was metered that the model did not run on."""
        is_on_cpu = self.measurement.software.get("provider") == "CPUExecutionProvider"
        return is_on_cpu and any(row.covers == "gpu" for row in self.working_meters)

    def _meters(self) -> list[MeterRow]:
        return [
            MeterRow(
                label=METER_LABELS.get(meter["name"], meter["name"]),
                covers=meter["covers"],
                reason=meter["reason"],
                power_w=meter["power_w"],
                idle_power_w=meter["idle_power_w"],
                metered_energy_kwh=meter["energy_kwh_per_inference"],
                rated_energy_kwh=getattr(self.estimate, f"{meter['covers']}_energy_kwh"),
            )
            for meter in self.measurement.metered.get("meters", ())
        ]

    @property
    def scales(self) -> tuple[Scaled, ...]:
        return standard_scales(
            energy_kwh=self.estimate.energy_kwh, emission_g=self.estimate.emission_g
        )

    @property
    def equivalences(self) -> list[tuple[str, str]]:
        """Sentences like "2.32 billion inferences = 1 km by car", each with its source."""
        if self.estimate.emission_g == 0:
            return []
        return [
            (equivalence_sentence(one, self.estimate.emission_g), one.source)
            for one in published_equivalents(*EQUIVALENT_KEYS)
        ]

    @property
    def bins(self) -> tuple[Bin, ...]:
        samples_s = self.measurement.samples_s
        return histogram(samples_s) if samples_s else ()

    @property
    def machine_facts(self) -> list[tuple[str, str]]:
        return _facts(self.measurement.machine, MACHINE_LABELS)

    @property
    def software_facts(self) -> list[tuple[str, str]]:
        return _facts(self.measurement.software, SOFTWARE_LABELS)

    @property
    def cage(self) -> cage.CageReport | None:
        return cage.report_of(self.measurement.sandbox)

    @property
    def machine_name(self) -> str:
        return self.measurement.machine.get("cpu") or "a machine of unknown type"

    @property
    def is_measured_elsewhere(self) -> bool:
        """Whether the latency and the power belong to different processors."""
        return not is_same_cpu(
            described=self.assumptions.cpu.name, measured=self.measurement.machine.get("cpu")
        )

    @property
    def ram_rule_is_used(self) -> bool:
        return self.assumptions.ram.unit_power_w is not None

    def _share_percent(self, energy_kwh: float) -> float:
        total_kwh = self.estimate.energy_kwh
        return 100 * energy_kwh / total_kwh if total_kwh else 0.0


def report_of(run: Run) -> RunReport | None:
    """Return the report of a finished run, fetched ``with_results``; None for any other."""
    estimate = run.estimate
    if run.status != Run.Status.DONE or estimate is None:
        return None
    return RunReport(
        run=run,
        measurement=run.measurement,
        estimate=estimate,
        assumptions=estimate.assumed,
    )


def _facts(values: dict, labels: dict[str, str]) -> Sequence[tuple[str, str]]:
    return [
        (label, _plainly(values[key]))
        for key, label in labels.items()
        if values.get(key) not in (None, "", {})
    ]


def _size(value: int | str) -> str:
    """A cache in KiB; an option as it is."""
    return f"{value // 2**10:,} KiB" if isinstance(value, int) else value


def _plainly(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_size(one)}" for name, one in sorted(value.items()))
    return str(value)
