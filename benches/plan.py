"""Which processes a comparison starts, in what order, how long they take, and what is done."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.job import LONGEST_MEASURING_S_BY_EFFORT, MEASURING_S_BY_EFFORT

EFFORTS = ("standard", "careful")
OTHERS = ("plain", "loadgen", "floor")
WAYS = (*EFFORTS, *OTHERS)
# Starting, loading and warming up, in the mean over the eight models.
OVERHEAD_S = 1.5

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class Step:
    """One fresh process: a way of timing one model, for ``seconds`` of measuring."""

    round_number: int
    model: str
    way: str
    seconds: float

    @classmethod
    def of(cls, record: Record) -> "Step":
        """Return the step that a line of the results tells of."""
        return cls(record["round"], record["model"], record["way"], record["seconds"])


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for; ``engine_s`` None is what each effort really takes."""

    models: Sequence[str]
    round_count: int
    careful_models: Sequence[str]
    careful_round_count: int
    engine_s: float | None
    others_s: float

    def steps(self) -> Iterator[Step]:
        """Yield the processes: all ways of one model, then the next, then the next round.

        So whatever was done when the time is up is balanced.
        """
        for number in range(max(self.round_count, self.careful_round_count)):
            for model in self.models:
                if number < self.round_count:
                    for way in ("standard", *OTHERS):
                        yield self._step(number, model, way)
                if number < self.careful_round_count and model in self.careful_models:
                    yield self._step(number, model, "careful")

    def _step(self, number: int, model: str, way: str) -> Step:
        if way in EFFORTS:
            return Step(number, model, way, self.engine_s or MEASURING_S_BY_EFFORT[way])
        return Step(number, model, way, self.others_s)


def expected_s(steps: Collection[Step]) -> float:
    """Return about how long ``steps`` take where enough of the time is quiet."""
    return sum(step.seconds + OVERHEAD_S for step in steps)


def longest_s(steps: Collection[Step]) -> float:
    """Return how long ``steps`` take where the engine is never sure."""
    return sum(_longest_of(step) + OVERHEAD_S for step in steps)


def _longest_of(step: Step) -> float:
    if step.way in EFFORTS and step.seconds == MEASURING_S_BY_EFFORT[step.way]:
        return LONGEST_MEASURING_S_BY_EFFORT[step.way]
    return step.seconds


def read_records(path: Path, *, setting: str) -> list[Record]:
    """Return what is done of this ``setting``: a machine, a runtime and an engine.

    A line cut short, where the comparison was killed, is left out.
    """
    records = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record["setting"] == setting:
            records.append(record)
    return records


def still_to_do(plan: Plan, records: Sequence[Record]) -> list[Step]:
    """Return the steps of ``plan`` that no record tells of."""
    done = {Step.of(record) for record in records}
    return [step for step in plan.steps() if step not in done]
