"""Long lists cut into pages: the database numbers ids, and reads in full only what is shown."""

from collections.abc import Callable, Sequence

from django.core.paginator import Page, Paginator


def page_of(
    rows, number: str | None, *, length: int, read: Callable[[list], Sequence], count=None
) -> Page:
    """Return the page ``number`` of the queryset ``rows``, or the nearest there is.

    ``read`` turns the primary keys of a page into what is shown; ``count`` spares counting.
    """
    paginator = Paginator(rows.values_list("pk", flat=True), length)
    if count is not None:
        paginator.count = count
    page = paginator.get_page(number)
    page.object_list = read(list(page.object_list))
    return page


def in_order(rows, keys: Sequence) -> list:
    """Return the rows of a queryset that have these primary keys, in the order of the keys."""
    found = {row.pk: row for row in rows.filter(pk__in=keys)}
    return [found[key] for key in keys if key in found]
