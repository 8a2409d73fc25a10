"""How a browser's own description of itself is said in two words."""

from django import template

register = template.Library()

# In this order: most browsers also claim to be those that come after them here.
BROWSERS = [
    *(("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox")),
    *(("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl")),
]
SYSTEMS = [
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android")),
    *(("Windows", "Windows"), ("Mac OS X", "Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
]


@register.filter
def browser_name(user_agent: str) -> str:
    """Return a User-Agent header as "Firefox on Linux", or what little of it is known.

    >>> browser_name("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox on Linux'
    >>> browser_name("python-requests/2.32")
    'An unknown browser'
    """
    browser = _first_named(BROWSERS, user_agent) or "An unknown browser"
    system = _first_named(SYSTEMS, user_agent)
    return f"{browser} on {system}" if system else browser


def _first_named(names: list[tuple[str, str]], user_agent: str) -> str | None:
    return next((name for mark, name in names if mark in user_agent), None)
