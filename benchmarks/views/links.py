"""What links between the pages of one list carry along."""


def query_without_page(request) -> str:
    """Return the query string, ending in ``&``, that a link to another page goes on from."""
    query = request.GET.copy()
    query.pop("page", None)
    return f"{query.urlencode()}&" if query else ""
