"""The programs that make up a running site, with the commands that start them."""

import sys
from pathlib import Path

from carbonsite.supervisor import Program

# Nobody on the folder broker hears gossip, and the database is the queue of record.
WORKER_OPTIONS = (
    "--pool=solo",
    "--concurrency=1",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
    "--loglevel=WARNING",
)


# The tasks are JSON, so the danger that this warning speaks of, pickle, is not there.
NO_ROOT_WARNING = ("-W", "ignore:You're running the worker with superuser privileges")


def web(listening_descriptor: int) -> Program:
    """Return the web server, which serves on the inherited descriptor."""
    return Program(
        "web",
        (
            sys.executable,
            "-m",
            "gunicorn",
            "--config=python:carbonsite.gunicorn",
            f"--bind=fd://{listening_descriptor}",
        ),
        descriptors=(listening_descriptor,),
    )


def background(data_folder: Path) -> list[Program]:
    """Return what works behind the pages: the two workers and the clock."""
    schedule = f"--schedule={data_folder / 'beat-schedule'}"
    beat = Program("beat", celery("beat", schedule, "--pidfile=", "--loglevel=WARNING"))
    return [worker("measure"), worker("default"), beat]


def worker(queue: str) -> Program:
    """Return the worker of one queue: one task at a time, in its own process."""
    options = (f"--queues={queue}", f"--hostname={queue}@%h", *WORKER_OPTIONS)
    return Program(queue, celery("worker", *options))


def demo() -> Program:
    """Return the program that fills an empty site with the article's models, once."""
    return Program("demo", (sys.executable, "manage.py", "make_demo"), is_lasting=False)


def celery(*arguments: str) -> tuple[str, ...]:
    return (
        sys.executable,
        *NO_ROOT_WARNING,
        "-m",
        "celery",
        "--quiet",
        "--app=carbonsite",
        *arguments,
    )
