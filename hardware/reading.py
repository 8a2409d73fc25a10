"""A file of reference figures, read line by line: what it says, and all that is wrong with it."""

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hardware.cells import BadCell, is_zero, shown
from hardware.models import Zone
from hardware.owid import OwidFormat, Skipped, owid_format
from hardware.tables import TABLES, Table, read_cell

MAX_FILE_BYTES = 25_000_000
# The shipped tables have 6,000 rows at most, Our World in Data's energy table 24,000 lines.
MAX_LINE_COUNT = 50_000
# Whoever has so much to mend begins anew: the rest is left unread.
MAX_COMPLAINT_COUNT = 1_000
ZERO_IS_MISSING = "A zero is missing data, not a figure."


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a cell: its line, counted from 1 with the heading, its column, why."""

    line: int
    column: str
    reason: str


@dataclass(slots=True)
class SkippedLines:
    """Lines left out for one reason."""

    reason: str
    first_line: int
    count: int = 0


@dataclass(slots=True)
class ReadFile:
    """A file's lines for one table, with the complaints; only one without any can be loaded."""

    sha256: str
    table: Table | None = None
    kind: str = "this site's own columns"
    lines: dict[tuple, dict] = field(default_factory=dict)
    line_numbers: dict[tuple, int] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)
    skipped: dict[str, SkippedLines] = field(default_factory=dict)
    unknown_columns: list[str] = field(default_factory=list)

    def complain(self, line: int, column: str, reason: str) -> None:
        """Note what is wrong."""
        self.complaints.append(Complaint(line, column, reason))

    def skip(self, line: int, reason: str) -> None:
        """Note a line that is left out."""
        self.skipped.setdefault(reason, SkippedLines(reason, line)).count += 1


def read_file(content: bytes, *, vintage: str = "") -> ReadFile:
    """Return what ``content`` says, with a complaint for each cell that cannot be taken.

    ``vintage`` stands for lines that name none; Our World in Data's downloads never do.
    """
    found = ReadFile(hashlib.sha256(content).hexdigest())
    text = _decoded(content, found)
    if text is None:
        return found
    rows = list(_rows(text, found))
    if found.complaints:
        return found
    header = [name.strip() for name in rows[0][1]] if rows else []
    owid = owid_format(header)
    found.table = _table_of(header, is_owid=owid is not None)
    if owid is None:
        _check_header(header, found, vintage)
    elif not vintage[:4].isdecimal() or len(vintage) < 4:
        found.kind = "Our World in Data"
        found.complain(
            1,
            "vintage",
            "Our World in Data's file does not say its vintage: give the year and month in "
            "which it was published, such as 2027-04.",
        )
    if found.complaints:
        return found
    _read_lines(rows[1:], header, found, owid=owid, vintage=vintage)
    return found


def _decoded(content: bytes, found: ReadFile) -> str | None:
    if len(content) > MAX_FILE_BYTES:
        found.complain(
            0, "", f"The file is larger than {MAX_FILE_BYTES // 1_000_000} MB: split it in parts."
        )
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = content.count(b"\n", 0, failure.start) + 1
        found.complain(
            line,
            "",
            f"The line is not UTF-8: its byte {content[failure.start]:#04x} means something in "
            "Latin-1 or another old encoding only. Save the file as “CSV UTF-8” and send it again.",
        )
        return None


def _rows(text: str, found: ReadFile) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells); complain and end where the file breaks off or is too long."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    count = 0
    try:
        for cells in reader:
            count += 1
            if count > MAX_LINE_COUNT + 1:
                found.complain(
                    reader.line_num,
                    "",
                    f"The file has more than {MAX_LINE_COUNT:,} lines, and no table here is so "
                    "long. Send the lines that you need, or several files.",
                )
                return
            if cells:
                yield reader.line_num, cells
    except csv.Error as failure:
        found.complain(reader.line_num, "", f"The line is not CSV: {failure}.")


def _table_of(header: Sequence[str], *, is_owid: bool) -> Table:
    """Return the table that shares the most columns with ``header``, in proportion to its own."""
    if is_owid:
        return next(table for table in TABLES if table.slug == "intensities")
    names = set(header)
    return max(
        TABLES, key=lambda table: len(names & set(table.column_names)) / len(table.column_names)
    )


def _check_header(header: Sequence[str], found: ReadFile, vintage: str) -> None:
    table = found.table
    known = set(table.column_names)
    if not known & set(header):
        heading = ", ".join(shown(name) for name in header[:6]) or "nothing"
        found.table = None
        found.complain(
            1,
            "",
            f"The first line has to name the columns, such as zone, year, g_per_kwh. It says "
            f"{heading}.",
        )
        return
    for column in table.columns:
        if header.count(column.name) > 1:
            found.complain(1, column.name, "The column is there twice.")
        if column.name in header or (column.may_be_missing and vintage):
            continue
        hint = " Or say the vintage beside the file." if column.may_be_missing else ""
        found.complain(
            1, column.name, f"The column is missing: the table of {table.label} needs it.{hint}"
        )
    found.unknown_columns = [name for name in header if name not in known]


def _read_lines(rows, header, found: ReadFile, *, owid: OwidFormat | None, vintage: str) -> None:
    zone_codes = set(Zone.objects.values_list("code", flat=True))
    if owid is not None:
        found.kind = "Our World in Data's download"
    elif found.table.slug == "zones":
        # A file of zones may name parents that come with it.
        place = header.index("code")
        zone_codes |= {cells[place].strip() for _, cells in rows if len(cells) > place}
    for number, cells in rows:
        if len(found.complaints) >= MAX_COMPLAINT_COUNT:
            found.complain(
                number, "", "Too much is wrong: from this line on the file was left unread."
            )
            return
        if len(cells) > len(header):
            found.complain(
                number, "", f"The line has {len(cells)} cells for {len(header)} columns."
            )
            continue
        padded = [*cells, *[""] * (len(header) - len(cells))]
        line = {name: cell.strip() for name, cell in zip(header, padded, strict=True)}
        try:
            ours = line if owid is None else owid.as_our_line(line, vintage)
        except Skipped as reason:
            found.skip(number, str(reason))
            continue
        if vintage and not ours.get("vintage"):
            ours["vintage"] = vintage
        _read_line(number, ours, found, zone_codes, owid)


def _read_line(number, line, found: ReadFile, zone_codes, owid: OwidFormat | None) -> None:
    table, before = found.table, len(found.complaints)
    if table.zero_is_missing and is_zero(line[table.figure]):
        found.skip(number, ZERO_IS_MISSING)
        return
    values = {}
    for column in table.columns:
        try:
            values[column.field_name] = read_cell(column, line[column.name], zone_codes)
        except BadCell as refusal:
            heading = owid.column_in_file(column.name) if owid else column.name
            found.complain(number, heading, str(refusal))
    if len(found.complaints) > before:
        return
    for name, reason in table.check(values):
        found.complain(number, name, reason)
    key = table.key_of(values)
    if key in found.lines:
        found.complain(
            number,
            ", ".join(table.key_columns),
            f"The line names the same row as line {found.line_numbers[key]}.",
        )
    elif len(found.complaints) == before:
        found.lines[key], found.line_numbers[key] = values, number
