"""How lists are cut into pages; those of runs by cursor, so that new runs shift nothing."""

from rest_framework.pagination import CursorPagination
from rest_framework.response import Response


class LinkedPages:
    """Pages of up to 100 rows, the next one named in the ``Link`` header too."""

    page_size_query_param = "per_page"
    max_page_size = 100

    def get_paginated_response(self, data) -> Response:
        """Return the page with its neighbours' addresses."""
        response = super().get_paginated_response(data)
        if next_url := self.get_next_link():
            response["Link"] = f'<{next_url}>; rel="next"'
        return response


class RunCursorPagination(LinkedPages, CursorPagination):
    """Pages of runs from a cursor on; there is no count."""

    ordering = ("-queued_at", "-id")
