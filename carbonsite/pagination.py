"""How the API's lists are cut into pages."""

from rest_framework.pagination import PageNumberPagination

from benchmarks.api.pagination import LinkedPages


class LinkedPagePagination(LinkedPages, PageNumberPagination):
    """Numbered pages."""
