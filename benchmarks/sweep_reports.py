"""What a sweep says: each setting beside the smallest one, where the knee is, in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.models import Run, Sweep
from footprint.comparison import Interval
from footprint.knee import Knee, SweptSetting, change_from, differs_by_noise, knee_of
from footprint.units import format_quantity

PERCENT = 100
# Of thirty-six measurements, asked for every few seconds: the lists that no sweep shows.
UNREAD = ("samples_s", "as_measured", "composition", "inputs_used", "outputs_seen")


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a sweep beside the baseline, the smallest setting that has a result.

    ``change_ratio`` and ``is_within_noise`` are None for the baseline and where not known.
    """

    run: Run
    setting: SweptSetting | None
    change_ratio: float | None = None
    is_within_noise: bool | None = None
    is_baseline: bool = False
    is_knee: bool = False


@dataclass(frozen=True, slots=True)
class SweepReport:
    """A sweep's runs, small settings first, and what they come to."""

    sweep: Sweep
    cells: tuple[Cell, ...]
    knee: Knee | None

    @property
    def run_count(self) -> int:
        return len(self.cells)

    @property
    def over_count(self) -> int:
        return sum(cell.run.is_over for cell in self.cells)

    @property
    def is_over(self) -> bool:
        return self.over_count == self.run_count

    @property
    def done(self) -> list[Cell]:
        """The cells that have a result."""
        return [cell for cell in self.cells if cell.setting is not None]

    @property
    def failed(self) -> list[Cell]:
        return self._ended_as(Run.Status.FAILED)

    @property
    def cancelled(self) -> list[Cell]:
        return self._ended_as(Run.Status.CANCELLED)

    @property
    def measuring(self) -> Cell | None:
        """The cell under way."""
        return next((cell for cell in self.cells if cell.run.status == "measuring"), None)

    @property
    def machines(self) -> list[str]:
        """The different machines and runtimes that measured: more than one cannot be compared."""
        found = {
            (one.machine_fingerprint, one.software_fingerprint): (
                f"{one.machine.get('cpu', 'unknown machine')} with onnxruntime "
                f"{one.software.get('onnxruntime', 'of unknown version')}"
            )
            for one in (cell.run.measurement for cell in self.done)
        }
        return list(found.values())

    @property
    def conclusion(self) -> str:
        """What the sweep found, as one sentence."""
        return conclusion_of(self)

    def _ended_as(self, status: str) -> list[Cell]:
        return [cell for cell in self.cells if cell.run.status == status]


def sweep_report(sweep: Sweep) -> SweepReport:
    """Return what the runs of ``sweep`` say so far, in two queries."""
    runs = list(
        sweep.runs.with_results()
        .defer(*(f"measurement__{name}" for name in UNREAD))
        .order_by("batch_size", "intra_op_threads", "id")
    )
    setting_by_run = {run.pk: swept_setting(run) for run in runs}
    knee = knee_of([one for one in setting_by_run.values() if one is not None])
    return SweepReport(
        sweep=sweep,
        cells=tuple(_cell(run, setting_by_run[run.pk], knee) for run in runs),
        knee=knee,
    )


def swept_setting(run: Run) -> SweptSetting | None:
    """Return what ``run`` measured as a point of a sweep; None where it has no result."""
    estimate = run.estimate
    # A run that ends between the two queries has its estimates already and no measurement yet.
    if run.status != Run.Status.DONE or estimate is None:
        return None
    g_per_s = estimate.emission_g / estimate.latency_s
    low_s, high_s = run.measurement.ci95_low_s, run.measurement.ci95_high_s
    is_known = low_s is not None and high_s is not None
    return SweptSetting(
        batch_size=run.batch_size,
        thread_count=run.intra_op_threads,
        emission_g=estimate.emission_g,
        interval=Interval(low=low_s * g_per_s, high=high_s * g_per_s) if is_known else None,
    )


def conclusion_of(report: SweepReport) -> str:
    """Return one sentence: the knee and what it saves, or why there is none."""
    knee = report.knee
    if knee is None:
        return _without_a_knee(report)
    so_far = "" if report.is_over else "So far: "
    threads_matter = len({cell.run.intra_op_threads for cell in report.cells}) > 1
    name = _named(knee.setting, with_threads=threads_matter)
    baseline = _named(knee.baseline, with_threads=threads_matter)
    if knee.saved_ratio is None:
        return _first(f"{so_far}every setting comes to 0 g, so none can be preferred.")
    if knee.is_baseline and knee.is_lost_in_noise:
        gap = _percent(1 - knee.best.emission_g / knee.setting.emission_g)
        best = _named(knee.best, with_threads=threads_matter)
        return _first(
            f"{so_far}no setting is measurably better than {name}: {best} came out {gap} lower, "
            "within the noise."
        )
    if knee.is_baseline:
        return _first(f"{so_far}{name} is enough: nothing larger costs measurably less.")
    saved = _percent(knee.saved_ratio)
    return _first(
        f"{so_far}{name} costs {saved} less per inference than {baseline}; {_beyond(knee)}"
    )


def settings_name(*, batch_size: int, thread_count: int) -> str:
    """Return a setting in words.

    >>> settings_name(batch_size=16, thread_count=2)
    'batch 16 on 2 threads'
    """
    threads = "1 thread" if thread_count == 1 else f"{thread_count} threads"
    return f"batch {batch_size} on {threads}"


def _without_a_knee(report: SweepReport) -> str:
    if not report.is_over:
        return "Nothing to compare yet: two settings have to be measured first."
    if report.done:
        (only,) = report.done
        name = _named(only.setting, with_threads=True)
        return f"Only {name} has a result, so there is nothing to compare it with."
    if report.failed and report.cancelled:
        return "No setting has a result: some failed, and the others were cancelled."
    if report.failed:
        return "No setting could be measured. The table says why."
    return "This sweep was cancelled before anything was measured."


def _beyond(knee: Knee) -> str:
    if not knee.is_beyond_known:
        return "it is the largest that was measured, so a larger one may cost less still."
    return f"more brings nothing{' beyond the noise' if knee.is_lost_in_noise else ''}."


def _percent(ratio: float) -> str:
    return format_quantity(ratio * PERCENT, "%", 2)


def _named(setting: SweptSetting, *, with_threads: bool) -> str:
    if with_threads:
        return settings_name(batch_size=setting.batch_size, thread_count=setting.thread_count)
    return f"batch {setting.batch_size}"


def _first(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _cell(run: Run, setting: SweptSetting | None, knee: Knee | None) -> Cell:
    if setting is None or knee is None:
        return Cell(run, setting)
    if setting == knee.baseline:
        return Cell(run, setting, is_baseline=True, is_knee=knee.is_baseline)
    return Cell(
        run,
        setting,
        change_ratio=change_from(knee.baseline, setting),
        is_within_noise=differs_by_noise(knee.baseline, setting),
        is_knee=setting == knee.setting,
    )


def series_by_threads(cells: Sequence[Cell]) -> dict[int, list[Cell]]:
    """Return the cells that have a result by thread count, small batches first."""
    found: dict[int, list[Cell]] = {}
    for cell in cells:
        if cell.setting is not None:
            found.setdefault(cell.run.intra_op_threads, []).append(cell)
    return dict(sorted(found.items()))
