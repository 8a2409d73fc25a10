"""A reference table as the CSV that ``load_reference`` takes back."""

import csv
import io
from collections.abc import Iterator

from hardware.cells import plain_cell
from hardware.tables import Table

LINES_PER_PIECE = 500


def table_lines(table: Table) -> Iterator[str]:
    """Yield the table's lines with its headings, some hundreds at a time."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    fields = [column.field_name for column in table.columns]
    rows = table.model.objects.order_by(*table.key_fields).values_list(*fields)
    for number, row in enumerate(rows.iterator(chunk_size=LINES_PER_PIECE), 1):
        writer.writerow([_cell(value) for value in row])
        if number % LINES_PER_PIECE == 0:
            yield _taken(text)
    yield _taken(text)


def _cell(value):
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"
    if not isinstance(value, str):
        return value
    # A lone carriage return begins a line in a spreadsheet, and Python's writer puts no quotes
    # around it where lines end with \n.
    return plain_cell(value).replace("\r", " ")


def _taken(text: io.StringIO) -> str:
    piece = text.getvalue()
    text.seek(0)
    text.truncate()
    return piece
