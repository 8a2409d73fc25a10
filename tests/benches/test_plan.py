"""A comparison's plan: its order, its length, and what is left of it after an interruption."""

import json

from benches.plan import Plan, Step, expected_s, longest_s, read_records, still_to_do


def plan(**changes):
    asked = {
        "models": ("small", "large"),
        "round_count": 2,
        "careful_models": ("small",),
        "careful_round_count": 1,
        "engine_s": None,
        "others_s": 1.2,
    }
    return Plan(**(asked | changes))


def record(step, **more):
    known = {"round": step.round_number, "model": step.model, "way": step.way}
    return {**known, "seconds": step.seconds, "setting": "here", "figures": {}, **more}


def test_ways_alternate_and_rounds_follow_each_other():
    steps = list(plan().steps())

    first = [(step.model, step.way) for step in steps if step.round_number == 0]
    ways = ["standard", "plain", "loadgen", "floor"]
    assert first == [
        *(("small", way) for way in (*ways, "careful")),
        *(("large", way) for way in ways),
    ]
    assert [step.round_number for step in steps] == sorted(step.round_number for step in steps)


def test_the_engine_takes_what_its_efforts_take_and_more_where_it_is_not_sure():
    steps = list(plan(models=("small",), round_count=1).steps())

    # standard 20 to 40, careful 75 to 300, three others of 1.2 s, and 1.5 s for each to start.
    assert expected_s(steps) == 20 + 75 + 3 * 1.2 + 5 * 1.5
    assert longest_s(steps) == 40 + 300 + 3 * 1.2 + 5 * 1.5


def test_a_short_try_takes_just_as_long_as_it_says():
    steps = list(plan(engine_s=0.5).steps())

    assert {step.seconds for step in steps} == {0.5, 1.2}
    assert expected_s(steps) == longest_s(steps)


def test_the_default_plan_fits_into_forty_minutes():
    steps = list(plan(models=range(8), round_count=10, careful_round_count=0).steps())

    assert expected_s(steps) <= 40 * 60


def test_what_is_done_is_not_done_again():
    done = list(plan().steps())[:3]

    left = still_to_do(plan(), [record(step) for step in done])

    assert left == list(plan().steps())[3:]


def test_a_short_try_does_not_stand_for_the_real_thing():
    short = Step(0, "small", "standard", 0.5)

    assert len(still_to_do(plan(), [record(short)])) == len(list(plan().steps()))


def test_lines_cut_short_and_those_of_other_machines_are_left_out(tmp_path):
    path = tmp_path / "results.jsonl"
    mine, other = (
        record(Step(0, "small", "plain", 1.0), setting=name) for name in ("here", "there")
    )
    path.write_text(f'{json.dumps(mine)}\n{{"round": 1, "mo\n{json.dumps(other)}\n')

    assert read_records(path, setting="here") == [mine]


def test_nothing_is_done_where_there_is_no_file(tmp_path):
    assert read_records(tmp_path / "none.jsonl", setting="here") == []
