"""Histories, rankings and comparisons as files that a spreadsheet opens, and opens safely."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator

from benchmarks.comparison import Comparison
from benchmarks.history import HistoryPoint
from benchmarks.ranking import Place
from footprint import units
from hardware.cells import plain_cell as _plain

COLUMNS = (
    "run",
    "measured_at",
    "version",
    "version_label",
    "profile",
    "batch_size",
    "intra_op_threads",
    "latency_s",
    "median_s",
    "ci95_low_s",
    "ci95_high_s",
    "energy_kwh",
    "intensity_g_per_kwh",
    "emission_g",
    "machine",
    "onnxruntime",
    "break_reason",
    "grade",
    "intensity_zone",
    "intensity_year",
    "intensity_measure",
)
RANKING_COLUMNS = (
    "rank",
    "zone",
    "name",
    "kind",
    "country",
    "year",
    "measure",
    "intensity_g_per_kwh",
    "energy_kwh",
    "emission_g",
    "is_the_runs_own",
    "source",
)
COMPARISON_COLUMNS = (
    "criterion",
    "better",
    "version",
    "title",
    "run",
    "value",
    "is_best",
    "is_within_noise",
    "behind_best_ratio",
    "ratio_low",
    "ratio_high",
    "value_low",
    "value_high",
    "reason",
)


def history_csv(points: Iterable[HistoryPoint]) -> Iterator[str]:
    """Yield ``points`` as the lines of a CSV with a header, in the units that the columns name."""
    text = io.StringIO()
    writer = csv.writer(text)
    for row in itertools.chain([COLUMNS], map(_row, points)):
        writer.writerow(row)
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def ranking_csv(places: Iterable[Place], *, energy_kwh: float) -> str:
    """Return ``places`` as CSV with a header; the energy of one inference is the same in all."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(RANKING_COLUMNS)
    writer.writerows(
        [
            place.rank or "",
            place.zone.pk,
            _plain(place.zone.name),
            place.zone.kind,
            place.zone.parent_id or "",
            place.year,
            place.measure,
            place.g_per_kwh,
            energy_kwh,
            place.emission_g,
            "yes" if place.is_mine else "no",
            _plain(place.source),
        ]
        for place in places
    )
    return text.getvalue()


def comparison_csv(comparison: Comparison) -> str:
    """Return the table as CSV, a line per criterion and version; a criterion names its unit."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COMPARISON_COLUMNS)
    writer.writerows(
        [
            row.criterion.name,
            row.criterion.better,
            cell.entry.version.pk,
            _plain(cell.entry.title),
            cell.entry.run.pk if cell.entry.run else "",
            cell.value,
            "yes" if cell.is_best else "no",
            "yes" if cell.is_within_noise else "no",
            cell.behind_ratio,
            cell.ratio.low if cell.ratio else "",
            cell.ratio.high if cell.ratio else "",
            cell.interval.low if cell.interval else "",
            cell.interval.high if cell.interval else "",
            _plain(cell.reason),
        ]
        for row in comparison.rows
        for cell in row.cells
    )
    return text.getvalue()


def comparison_markdown(comparison: Comparison) -> str:
    """Return the table as Markdown, the best of each row in bold."""
    titles = [markdown_text(entry.title) for entry in comparison.entries]
    lines = [
        f"| | {' | '.join(titles)} |",
        f"|---|{'---:|' * len(titles)}",
    ]
    for row in comparison.rows:
        label = f"{row.criterion.label} ({row.criterion.better} is better)"
        cells = [_markdown_cell(row.criterion.unit, cell) for cell in row.cells]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _markdown_cell(unit: str, cell) -> str:
    text = written(cell.value, unit)
    if cell.interval:
        low, high = (written(end, unit) for end in (cell.interval.low, cell.interval.high))
        text = f"{text} ({low} to {high})"
    if cell.is_best:
        return f"**{text}**"
    return f"{text} (inside the noise)" if cell.is_within_noise else text


def written(value: float | None, unit: str) -> str:
    """Return a criterion's figure as people read it; a dash where it is not known."""
    if value is None:
        return "—"
    if unit == "%":
        return units.format_quantity(value * 100, "%")
    return units.format_quantity(value, unit) if unit else units.format_count(value)


def markdown_text(text: str) -> str:
    """Return a name as one line that ends no cell of a table and is not read as markup."""
    plain = " ".join(text.split())
    return "".join(f"\\{one}" if one in "\\`*_[]<>|#" else one for one in plain)


def _row(point: HistoryPoint) -> list:
    return [
        point.run_id,
        point.measured_at.isoformat(),
        point.version_number,
        _plain(point.version_label),
        _plain(point.profile_name),
        point.key.batch_size,
        point.key.intra_op_threads,
        point.latency_s,
        point.median_s,
        point.ci95_low_s,
        point.ci95_high_s,
        point.energy_kwh,
        point.intensity_g_per_kwh,
        point.emission_g,
        _plain(point.machine),
        _plain(point.runtime),
        _plain(point.break_reason),
        point.grade,
        point.intensity_zone,
        point.intensity_year,
        point.intensity_measure,
    ]
