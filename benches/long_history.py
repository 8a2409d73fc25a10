"""A model with a long history, for benches: a few runs made properly, and copied by the database.

Every copy has a moment and a latency of its own; all else is that of the run it was copied from.
PostgreSQL only.
"""

DAYS = 730
VERSION_COUNT = 6
# Of every four runs one is for another profile: another line.
PROFILE_COUNT = 2
# The runtime changes in the middle of it, the measuring machine after three quarters.
SURROUNDINGS = (
    ("1.31.0", "AMD EPYC 7B13"),
    ("1.32.0", "AMD EPYC 7B13"),
    ("1.32.0", "AMD EPYC 9B14"),
)
BASE_S = 0.002

# The number of a copy, what it is copied from, when it was measured, how much slower it was.
PLACES = """
CREATE TEMPORARY TABLE bench_place AS
SELECT n,
       (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '70008000'
        || lpad(to_hex(n), 12, '0'))::uuid AS id,
       moment,
       1 + 0.04 * ((n::bigint * 7919) % 1000) / 1000 + 0.3 * (n % 97 = 0)::int AS factor,
       (n * {versions} / {count}) AS version,
       (n % 4 = 0)::int AS profile,
       CASE WHEN n < {count} / 2 THEN 0 WHEN n < {count} * 3 / 4 THEN 1 ELSE 2 END AS surroundings
FROM (SELECT n, now() - interval '{days} days' * (1 - n / {count}.0) AS moment
      FROM generate_series(0, {count} - 1) AS n) AS numbers
"""
FINISHED = ("turn_at", "rung_at", "queued_at", "started_at", "finished_at")
LATENCIES = (
    *("mean_s", "median_s", "stdev_s", "min_s", "max_s", "p90_s", "p95_s", "p99_s"),
    *("ci95_low_s", "ci95_high_s"),
)
FIGURES = (
    *("latency_s", "cpu_energy_kwh", "ram_energy_kwh", "gpu_energy_kwh", "energy_kwh"),
    *("emission_g", "low_g", "high_g", "embodied_g"),
)


def make_long_history(run_count: int):
    """Return a model with ``run_count`` finished runs of versions, machines and profiles."""
    from django.db import connection

    from benchmarks.models import Estimate, Measurement, OnnxModel, Run

    templates = _templates()
    place = {"count": run_count, "versions": VERSION_COUNT, "days": DAYS}
    with connection.cursor() as cursor:
        cursor.execute(PLACES.format(**place))
        cursor.execute(
            "CREATE TEMPORARY TABLE bench_template "
            "(run_id uuid, version int, profile int, surroundings int)"
        )
        cursor.executemany("INSERT INTO bench_template VALUES (%s, %s, %s, %s)", templates)
        source = "bench_place p JOIN bench_template USING (version, profile, surroundings)"
        scaled = {name: f"t.{name} * p.factor" for name in (*LATENCIES, *FIGURES)}
        moments = dict.fromkeys(FINISHED, "p.moment")
        _copy(cursor, Run, f"{source} JOIN {{table}} t ON t.id = run_id", scaled | moments, "id")
        by_run = f"{source} JOIN {{table}} t USING (run_id)"
        _copy(cursor, Measurement, by_run, scaled, "run_id")
        _copy(cursor, Estimate, by_run, scaled | {"id": "gen_random_uuid()"}, "run_id")
        # The templates themselves have served.
        Run.objects.filter(pk__in=[run_id for run_id, *_ in templates]).delete()
        # As autovacuum leaves it a minute later.
        cursor.execute("VACUUM ANALYZE")
    return OnnxModel.objects.get()


def _templates() -> list[tuple]:
    """Make a run for each combination; return its id with the combination."""
    from tests.people import (
        MACHINE,
        SOFTWARE,
        a_done_run,
        a_model,
        a_profile,
        a_ready_version,
    )

    onnx_model = a_model(name="Long history", visibility="public")
    versions = [
        a_ready_version(onnx_model=onnx_model, label=f"build {number}", content=b"%d" % number)
        for number in range(VERSION_COUNT)
    ]
    profiles = [a_profile(name=f"Machine {number}") for number in range(PROFILE_COUNT)]
    rows = []
    for v, version in enumerate(versions):
        for p, profile in enumerate(profiles):
            for s, (runtime, cpu) in enumerate(SURROUNDINGS):
                measurement = {
                    "machine": MACHINE | {"cpu": cpu},
                    "machine_fingerprint": f"machine {cpu}".ljust(64, "0"),
                    "software": SOFTWARE | {"onnxruntime": runtime},
                    "software_fingerprint": f"software {runtime}".ljust(64, "0"),
                }
                run = a_done_run(
                    version, profile, mean_s=BASE_S * (1 - 0.05 * v), measurement=measurement
                )
                rows.append((run.pk, v, p, s))
    return rows


def _copy(cursor, model, source: str, values: dict[str, str], key: str) -> None:
    """Copy each template's row of ``model`` to every place of it, with these columns anew."""
    table = model._meta.db_table
    columns = [field.column for field in model._meta.concrete_fields]
    asked = {column: values.get(column, f"t.{column}") for column in columns} | {key: "p.id"}
    names = ", ".join(f'"{column}"' for column in asked)
    sql = f"INSERT INTO {table} ({names}) SELECT {', '.join(asked.values())} FROM "  # noqa: S608
    cursor.execute(sql + source.format(table=table))
