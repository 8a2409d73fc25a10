"""A supervisor over programs of a test's own, as a process that the test can kill.

``python -m tests.carbonsite.small_site LOG_FOLDER GRACE_S NAME=CODE...``: each program is a
line of Python; a name that starts with ``once`` is run once.
"""

import sys
from pathlib import Path

from carbonsite.supervisor import Program, Supervisor


def main(log_folder: str, grace_s: str, *programs: str) -> int:
    supervisor = Supervisor(
        log_folder=Path(log_folder),
        is_ready=lambda: True,
        on_ready=lambda supervisor: supervisor.say("ready"),
        grace_s=float(grace_s),
    )
    if "never-ready" in log_folder:
        supervisor.is_ready = lambda: False
    for description in programs:
        name, _, code = description.partition("=")
        command = (sys.executable, "-c", code)
        supervisor.add(Program(name, command, is_lasting=not name.startswith("once")))
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
