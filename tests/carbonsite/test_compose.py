"""docker-compose.yml, valid by its schema; and what it starts, started here without Docker.

The same commands, settings and order of starting, against a real PostgreSQL and a real Redis.
"""

import os
import re
import subprocess
import sys
import uuid
from contextlib import ExitStack
from graphlib import TopologicalSorter

import pytest

from runner.sample_models import lenet5
from tests.composed import (
    COMPOSE,
    NEW_TOKEN,
    OURS,
    ROOT,
    WITHIN_S,
    Composed,
    multipart,
    needs,
    production,
    wait_for,
)
from tests.own_sites import own_database


@pytest.mark.one_back_end
def test_the_compose_file_is_valid_by_the_compose_specification():
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.compose-spec", "docker-compose.yml"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout


def test_every_service_of_ours_starts_after_what_it_needs():
    order = list(TopologicalSorter(needs()).static_order())

    assert order.index("postgres") < order.index("prepare") < order.index("web")
    assert order.index("redis") < order.index("worker-measure")


def test_containers_of_ours_can_write_nowhere_but_into_their_volume():
    for name, service in OURS.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["volumes"] == ["data:/data"], name


def test_redis_keeps_its_messages_and_evicts_none():
    command = COMPOSE["services"]["redis"]["command"]

    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_images_are_pinned_and_run_without_root():
    dockerfile = (ROOT / "Dockerfile").read_text()
    used = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    used += [one["image"] for one in COMPOSE["services"].values() if "build" not in one]

    assert all(re.search(r":\d+\.\d+", image) for image in used), used
    assert re.search(r"^USER carbonsite$", dockerfile, re.MULTILINE)
    assert "HEALTHCHECK" in dockerfile


@pytest.mark.servers
@pytest.mark.slow
def test_the_services_started_in_their_order_do_the_main_job(composed):
    version = composed.call("POST", "models/", multipart(lenet5()))["latest_version"]
    wait_for(lambda: composed.call("GET", f"versions/{version['id']}/")["status"] == "ready")
    profile = composed.call("GET", "profiles/")["results"][0]

    asked = {"version": version["id"], "profile": profile["id"], "effort": "quick"}
    run = composed.call("POST", "runs/", asked)
    wait_for(lambda: composed.call("GET", f"runs/{run['id']}/")["status"] == "done")

    ended = [line for line in composed.log("worker-measure") if line.get("ending")]
    assert [line["run_id"] for line in ended] == [run["id"]]
    assert ended[0]["request_id"] == composed.request_id


@pytest.fixture
def composed(tmp_path):
    """The whole site, started in its order, with an owner who has a profile and a token."""
    with ExitStack() as stack:
        database_url = stack.enter_context(own_database("compose"))
        environment = production(
            tmp_path, database_url=database_url, redis_url=os.environ["REDIS_URL"]
        )
        site = Composed(tmp_path, environment)
        for name in TopologicalSorter(needs()).static_order():
            if name not in OURS:
                continue
            process = site.start(name)
            if OURS[name].get("restart") == "no":
                assert process.wait(WITHIN_S) == 0, (tmp_path / f"{name}.log").read_text()
            else:
                stack.callback(site.end, name)
        wait_for(site.is_ready, "the site")
        site.token = site.manage("shell", "-c", NEW_TOKEN).splitlines()[-1]
        site.request_id = f"compose-{uuid.uuid4().hex}"
        site.manage("check", "--deploy", "--fail-level", "WARNING")
        yield site
