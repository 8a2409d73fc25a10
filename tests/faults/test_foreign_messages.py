"""Messages that none of our processes has sent, in a queue that others may write to: F28."""

import pytest

from tests.composed import wait_for

pytestmark = [pytest.mark.servers, pytest.mark.slow]
# Each is a program for the site's own shell; {trace} is a folder that it must not manage to make.
MESSAGES = {
    "a pickle that does something": """
import os
from benchmarks.tasks import measure_run
class Bomb:
    def __reduce__(self):
        return os.mkdir, ("{trace}",)
measure_run.apply_async(args=[Bomb()], serializer="pickle")
""",
    "a task that nobody has": """
from carbonsite.celery import app
app.send_task("os.system", args=["mkdir {trace}"], queue="measure")
""",
    "no arguments and too many": """
from benchmarks.tasks import measure_run
measure_run.apply_async(args=[])
measure_run.apply_async(args=["1", "2", "3"])
""",
    "ids of nothing": """
from benchmarks.tasks import measure_run
for one in ("", "x", "'; DROP TABLE benchmarks_run; --", "0" * 36, None, 7, {{"a": 1}}):
    measure_run.apply_async(args=[one])
""",
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_f28_a_foreign_message_does_nothing_and_keeps_no_run_waiting(site, tmp_path, kind):
    trace = tmp_path / "trace"
    worker = site.parts["worker-measure"].pid

    # Celery has the sender check how many arguments there are; not this one.
    check = "from benchmarks.tasks import measure_run; measure_run.typing = False\n"
    site.manage("shell", "-c", check + MESSAGES[kind].format(trace=trace))
    wait_for(lambda: site.broker.client.llen("measure") == 0, "the messages to be taken")
    run_id = site.submit()

    site.wait_until(run_id, "done", "failed")
    assert (site.status(run_id), site.attempts(run_id)) == ("done", 1)
    assert not trace.exists()
    assert site.parts["worker-measure"].pid == worker
    assert site.parts["worker-measure"].poll() is None
