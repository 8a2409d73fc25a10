"""How runs are cut into pages: by cursor, so that new runs shift nothing."""

from rest_framework.pagination import CursorPagination
from rest_framework.response import Response


class RunCursorPagination(CursorPagination):
    """Pages of up to 100 runs from a cursor on; there is no count."""

    ordering = ("-queued_at", "-id")
    page_size_query_param = "per_page"
    max_page_size = 100

    def get_paginated_response(self, data) -> Response:
        """Return the page with its neighbours' addresses."""
        response = super().get_paginated_response(data)
        if next_url := self.get_next_link():
            response["Link"] = f'<{next_url}>; rel="next"'
        return response
