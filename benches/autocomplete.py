"""How quickly every search box answers while somebody types; `make bench-autocomplete`.

Server time through Django's test client, on a database of its own beside the configured one
(DATABASE_URL), with the shipped tables loaded; on a busy machine look at the CPU time beside it.
What is typed are the beginnings of names from the tables, one letter more each time, spread
evenly over them, and text that matches nothing.
BENCH_NAMES=5 makes it a short one.
"""

import os
import statistics
import time
from collections.abc import Iterator, Sequence

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carbonsite.settings")
LIMIT_MS = 50
NAME_COUNT = int(os.environ.get("BENCH_NAMES", "40"))
LONGEST_PREFIX = 12
NOWHERE = ("zzz", "a1b2c3", "%", "é", "intel amd apple", "x" * 100)
AUTOCOMPLETE = "/admin/autocomplete/?app_label=hardware"
# What is searched: the address, up to the text, and whose names are typed.
BOXES = {
    "country": ("/hardware/zones/?q=", "zones"),
    "CPU": ("/hardware/processors/?kind=cpu&q=", "cpus"),
    "GPU": ("/hardware/processors/?kind=gpu&q=", "gpus"),
    "admin: zone": (f"{AUTOCOMPLETE}&model_name=carbonintensity&field_name=zone&term=", "zones"),
    "admin: CPU": (f"{AUTOCOMPLETE}&model_name=hardwareprofile&field_name=cpu&term=", "cpus"),
    "admin: PUE": (f"{AUTOCOMPLETE}&model_name=hardwareprofile&field_name=pue_figure&term=", "pue"),
}


def main() -> None:
    """Load the tables into a database of the bench's own, search, and tell the times."""
    django.setup()
    from django.db import connection
    from django.test.utils import setup_databases, setup_test_environment, teardown_databases

    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        print(f"{connection.vendor}, ms of server time per answer")
        print(f"{'box':<14}{'answers':>8}{'median':>9}{'p95':>9}{'p99':>9}{'max':>9}{'p95 CPU':>9}")
        _measure_all()
    finally:
        teardown_databases(databases, verbosity=0)


def _measure_all() -> None:
    from django.test import Client

    from accounts.models import User
    from hardware.reference import load_reference

    load_reference()
    client = Client()
    client.force_login(User.objects.create_superuser("bench", password=None))
    names, everything_ms = _names(), []
    for box, (address, kind) in BOXES.items():
        client.get(address + "warm")
        times_ms = [_times_ms(client, address, text) for text in _typed(names[kind])]
        everything_ms += times_ms
        _tell(box, times_ms)
    _tell("all", everything_ms)
    p95_ms = _percentile([wall_ms for wall_ms, _ in everything_ms], 95)
    verdict = "under" if p95_ms < LIMIT_MS else "OVER"
    print(f"the 95th percentile of all is {verdict} {LIMIT_MS} ms")
    raise SystemExit(0 if p95_ms < LIMIT_MS else 1)


def _names() -> dict[str, list[str]]:
    from hardware.models import Processor, PueFigure, Zone

    return {
        "zones": [zone.name for zone in Zone.objects.all()],
        "cpus": [str(row) for row in Processor.objects.filter(kind="cpu")],
        "gpus": [row.name for row in Processor.objects.filter(kind="gpu")],
        "pue": [str(row) for row in PueFigure.objects.all()],
    }


def _typed(names: Sequence[str]) -> Iterator[str]:
    step = max(1, len(names) // NAME_COUNT)
    for name in names[::step][:NAME_COUNT]:
        for length in range(1, min(len(name), LONGEST_PREFIX) + 1):
            yield name[:length]
        yield name
    yield from NOWHERE


def _times_ms(client, address: str, text: str) -> tuple[float, float]:
    """Return the time by the clock and this process's CPU time."""
    from urllib.parse import quote

    start_s, cpu_start_s = time.perf_counter(), time.process_time()
    response = client.get(address + quote(text))
    duration_s, cpu_s = time.perf_counter() - start_s, time.process_time() - cpu_start_s
    if response.status_code != 200:
        raise SystemExit(f"{address}{text} answered {response.status_code}")
    return duration_s * 1000, cpu_s * 1000


def _percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _tell(box: str, times_ms: Sequence[tuple[float, float]]) -> None:
    walls_ms = [wall_ms for wall_ms, _ in times_ms]
    figures = (
        statistics.median(walls_ms),
        _percentile(walls_ms, 95),
        _percentile(walls_ms, 99),
        max(walls_ms),
        _percentile([cpu_ms for _, cpu_ms in times_ms], 95),
    )
    print(f"{box:<14}{len(times_ms):>8}" + "".join(f"{figure:>9.1f}" for figure in figures))


if __name__ == "__main__":
    main()
