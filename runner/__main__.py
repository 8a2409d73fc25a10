"""`python -m runner JOB RESULT` does one job in a caged child and writes one answer.

The site starts the child itself (runner/launch.py), with `--caged`.
"""

import os
import sys
from pathlib import Path

USAGE = """usage: python -m runner JOB RESULT     do the job of one file, answer in the other
       python -m runner --self-test    try the cage that models are measured in"""


def main(arguments: list[str]) -> int:
    """Do what the arguments say; return the exit status."""
    match arguments:
        case ["--self-test"]:
            from runner import self_test

            return self_test.print_check()
        case [_, _] if not arguments[0].startswith("--"):
            from runner import by_hand

            return by_hand.do(*map(Path, arguments))
        case ["--caged", job_path, channel, files]:
            from runner import child

            child.serve(Path(job_path), int(channel), [int(one) for one in files.split(",")])
        case ["--attempt", name]:
            from runner import attempts

            os._exit(attempts.make(name))
    print(USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
