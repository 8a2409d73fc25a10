"""How quickly every page answers about a model with 100,000 runs; `make bench-pages`.

usage: DATABASE_URL=postgres://... python -m benches.pages
BENCH_RUNS       finished runs of the model (100000)
BENCH_REQUESTS   requests per page (20)

Server time through Django's test client, by the clock, on a database of its own beside the one
that is named (it is made, filled and dropped). On a busy machine look at the CPU time beside it:
that of this process and, where it runs on this machine, of its database process. The runs are
spread over two years, six versions, two profiles, two runtimes and two measuring machines.
"""

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import django

from benches.long_history import make_long_history

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carbonsite.settings")
RUN_COUNT = int(os.environ.get("BENCH_RUNS", "100000"))
REQUEST_COUNT = int(os.environ.get("BENCH_REQUESTS", "20"))
LIMIT_MS = 300
LIMIT_BYTES = 100_000
RANGES = {"all": "", "year": "range=365", "month": "range=30", "day": "range=1"}
FACTORS = {"stored": "", "today": "factors=today"}
WHATIF = "zone=FRA&pue=1.2"
CHART = "chart data"


@dataclass(frozen=True, slots=True)
class Page:
    """What is asked for: a name for the table, and an address."""

    name: str
    address: str

    @property
    def is_chart(self) -> bool:
        return self.name.startswith(CHART)


def main() -> None:
    """Fill a database of the bench's own, ask every page, and tell the times."""
    django.setup()
    from django.conf import settings
    from django.db import connection
    from django.test.utils import setup_databases, setup_test_environment, teardown_databases

    if connection.vendor != "postgresql":
        raise SystemExit("Name a PostgreSQL server: DATABASE_URL=postgres://user@host/name")
    setup_test_environment()
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        is_good = _measure()
    finally:
        teardown_databases(databases, verbosity=0)
    raise SystemExit(0 if is_good else 1)


def _measure() -> bool:
    from django.test import Client

    from hardware.reference import load_reference
    from tests.people import owner

    start_s = time.perf_counter()
    load_reference()
    onnx_model = make_long_history(RUN_COUNT)
    print(f"{RUN_COUNT} runs made in {time.perf_counter() - start_s:.0f} s")
    client = Client()
    client.force_login(owner())
    print("| page | p50 ms | p95 ms | CPU ms | queries | bytes |")
    print("|---|---|---|---|---|---|")
    verdicts = [_tell(client, page) for page in _pages(onnx_model)]
    _tell_file(client, f"/models/{onnx_model.pk}/history.csv")
    return all(verdicts)


def _pages(onnx_model) -> Iterator[Page]:
    newest = onnx_model.results.order_by("-finished_at").first()
    here, api = f"/models/{onnx_model.pk}/", f"/api/v1/models/{onnx_model.pk}/history/"
    for factors, how in FACTORS.items():
        for period, when in RANGES.items():
            query = "&".join(filter(None, (when, how)))
            yield Page(f"history page, {period}, {factors}", f"{here}?{query}")
            yield Page(f"{CHART}, {period}, {factors}", f"{here}history.json?{query}")
    last = 10**6
    yield Page("history page, last page of the table", f"{here}?page={last}")
    yield Page("history page, what-if", f"{here}?{WHATIF}")
    yield Page(f"{CHART}, all, what-if", f"{here}history.json?{WHATIF}")
    yield Page("chart as a table, all", f"{here}history/")
    yield Page("run page", newest.get_absolute_url())
    yield Page("run page, what-if", f"{newest.get_absolute_url()}?{WHATIF}")
    yield Page("ranking", f"{newest.get_absolute_url()}countries/")
    versions = list(onnx_model.versions.order_by("-number")[:6])
    for count in (2, 6):
        query = "&".join(f"v={version.pk}" for version in versions[:count])
        yield Page(f"comparison of {count}", f"/compare/?{query}")
    yield Page("home", "/")
    yield Page("models", "/models/")
    yield Page("models by grams", "/models/?sort=grams")
    yield Page("runs", "/runs/")
    yield Page("runs, last page", f"/runs/?page={last}")
    yield Page("run form", f"{here}run/")
    yield Page("API: history", api)
    yield Page("API: history, today", f"{api}?factors=today")
    yield Page("API: runs", f"/api/v1/runs/?model={onnx_model.pk}&per_page=100")
    yield Page("API: models", "/api/v1/models/")


def _tell(client, page: Page) -> bool:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    # The first one fills caches: of templates, and of the connection.
    client.get(page.address)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(page.address)
        query_count = len(queries)
    if answer.status_code != 200:
        raise SystemExit(f"{page.address} answered {answer.status_code}")
    timed = [_times_ms(client, page.address) for _ in range(REQUEST_COUNT)]
    walls_ms, cpus_ms = zip(*timed, strict=True)
    p95_ms = _percentile(walls_ms, 95)
    size = len(answer.content)
    times = (statistics.median(walls_ms), p95_ms, statistics.median(cpus_ms))
    figures = (*(f"{one:.0f}" for one in times), query_count, size)
    print("|", " | ".join(map(str, (page.name, *figures))), "|", flush=True)
    return p95_ms < LIMIT_MS and not (page.is_chart and size > LIMIT_BYTES)


def _times_ms(client, address: str) -> tuple[float, float]:
    """Return the time by the clock, and the CPU time."""
    start_s, cpu_start_s = time.perf_counter(), _cpu_s()
    client.get(address)
    return (time.perf_counter() - start_s) * 1000, (_cpu_s() - cpu_start_s) * 1000


def _cpu_s() -> float:
    from django.db import connection

    served_by = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    database_ns = int(served_by.read_text().split()[0]) if served_by.is_file() else 0
    return time.process_time() + database_ns / 1e9


def _tell_file(client, address: str) -> None:
    """Tell when the first line of the CSV is there, and when the last."""
    firsts_ms = []
    for _ in range(REQUEST_COUNT):
        start_s = time.perf_counter()
        chunks = iter(client.get(address).streaming_content)
        next(chunks)
        next(chunks)
        firsts_ms.append((time.perf_counter() - start_s) * 1000)
    start_s = time.perf_counter()
    line_count = sum(chunk.count(b"\n") for chunk in client.get(address).streaming_content)
    duration_s = time.perf_counter() - start_s
    p95_ms = _percentile(firsts_ms, 95)
    print(
        f"\nCSV: first run after {statistics.median(firsts_ms):.0f} ms (p95 {p95_ms:.0f} ms)",
        end="",
    )
    print(f", all {line_count - 1} after {duration_s:.1f} s")


def _percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    main()
