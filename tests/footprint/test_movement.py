"""Why a figure moved: the parts are the right ones, and they add up to the whole."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from footprint.comparison import Interval
from footprint.estimate import Assumptions, estimate
from footprint.movement import CAUSES, COMPONENTS, LATENCY_CAUSES, Figures, explain

LAPTOP = Assumptions(13.0, 3.0, 0.0, pue=1.0, intensity_g_per_kwh=713.0)
powers_w = st.one_of(st.just(0.0), st.floats(0.01, 5000))
latencies_s = st.floats(1e-7, 1e4)


@st.composite
def figures(draw):
    latency_s = draw(latencies_s)
    width_ratio = draw(st.none() | st.floats(0, 1))
    return Figures(
        assumptions=Assumptions(
            cpu_power_w=draw(powers_w),
            ram_power_w=draw(powers_w),
            gpu_power_w=draw(powers_w),
            pue=draw(st.floats(1, 5)),
            intensity_g_per_kwh=draw(st.floats(0.001, 3000)),
        ),
        latency_s=latency_s,
        interval=None
        if width_ratio is None
        else Interval(latency_s * (1 - width_ratio), latency_s * (1 + width_ratio)),
    )


some_causes = st.frozensets(st.sampled_from(sorted(LATENCY_CAUSES)))
some_components = st.frozensets(st.sampled_from(COMPONENTS))


def laptop(*, latency_s=0.001, width_ratio=0.01, **fields):
    values = {"cpu_power_w": 13.0, "ram_power_w": 3.0, "gpu_power_w": 0.0, "pue": 1.0, **fields}
    values.setdefault("intensity_g_per_kwh", 713.0)
    interval = Interval(latency_s * (1 - width_ratio), latency_s * (1 + width_ratio))
    return Figures(Assumptions(**values), latency_s, interval)


def moved(movement):
    return {cause for cause, part_g in movement.part_by_cause_g.items() if part_g != 0}


@given(figures(), figures(), some_causes, some_components)
def test_the_parts_add_up_to_the_whole(before, after, causes, components):
    movement = explain(before, after, latency_causes=causes, described_anew=components)

    size_g = max(movement.before_g, movement.after_g)
    assert set(movement.part_by_cause_g) == set(CAUSES)
    assert math.isclose(
        math.fsum(movement.part_by_cause_g.values()),
        movement.whole_g,
        rel_tol=1e-12,
        abs_tol=1e-15 * size_g,
    )


@given(figures(), figures(), some_causes, some_components)
def test_the_way_back_is_the_same_with_the_sign_turned(before, after, causes, components):
    there = explain(before, after, latency_causes=causes, described_anew=components)
    back = explain(after, before, latency_causes=causes, described_anew=components)

    size_g = max(there.before_g, there.after_g)
    for cause in CAUSES:
        assert there.part_by_cause_g[cause] == pytest.approx(
            -back.part_by_cause_g[cause], rel=1e-9, abs=1e-9 * size_g
        )


@given(figures(), some_causes, some_components)
def test_what_did_not_move_has_no_parts(same, causes, components):
    movement = explain(same, same, latency_causes=causes, described_anew=components)

    assert moved(movement) == set()


@given(figures(), st.floats(0.001, 3000))
def test_an_intensity_alone_is_the_grids_doing(before, g_per_kwh):
    values = {name: getattr(before.assumptions, name) for name in Assumptions.__slots__}
    assume(g_per_kwh != before.assumptions.intensity_g_per_kwh)
    assume(before.assumptions.power.total_w > 0)
    greener = Assumptions(**{**values, "intensity_g_per_kwh": g_per_kwh})
    after = Figures(greener, before.latency_s, before.interval)

    movement = explain(before, after, latency_causes=frozenset({"model"}))

    assert moved(movement) <= {"intensity"}
    assert movement.part_by_cause_g["intensity"] == pytest.approx(movement.whole_g, rel=1e-9)


@given(figures(), figures(), some_causes, some_components)
def test_one_more_unit_in_all_factors_scales_every_part(before, after, causes, components):
    def doubled(one):
        values = {name: getattr(one.assumptions, name) for name in Assumptions.__slots__}
        values["intensity_g_per_kwh"] *= 2
        return Figures(Assumptions(**values), one.latency_s, one.interval)

    once = explain(before, after, latency_causes=causes, described_anew=components)
    twice = explain(
        doubled(before), doubled(after), latency_causes=causes, described_anew=components
    )

    size_g = max(twice.before_g, twice.after_g)
    for cause in CAUSES:
        assert twice.part_by_cause_g[cause] == pytest.approx(
            2 * once.part_by_cause_g[cause], rel=1e-9, abs=1e-9 * size_g
        )


def test_a_new_version_twice_as_fast_is_the_models_doing_but_for_the_intervals():
    before, after = laptop(latency_s=0.002), laptop(latency_s=0.001)

    movement = explain(before, after, latency_causes=frozenset({"model"}))

    # ln(0.00198 / 0.00101) of ln 2 lies outside both intervals.
    sure_ratio = math.log(0.00198 / 0.00101) / math.log(2)
    assert movement.part_by_cause_g["model"] == pytest.approx(sure_ratio * movement.whole_g)
    assert movement.part_by_cause_g["noise"] == pytest.approx((1 - sure_ratio) * movement.whole_g)
    assert moved(movement) == {"model", "noise"}


def test_a_change_within_the_intervals_is_noise_whatever_else_changed():
    movement = explain(
        laptop(latency_s=0.001, width_ratio=0.05),
        laptop(latency_s=0.00105, width_ratio=0.05),
        latency_causes=frozenset({"model", "runtime"}),
    )

    assert moved(movement) == {"noise"}


def test_the_same_again_but_slower_is_noise():
    movement = explain(laptop(latency_s=0.001), laptop(latency_s=0.002))

    assert moved(movement) == {"noise"}


def test_changes_at_the_same_time_share_equally():
    parts = explain(
        laptop(latency_s=0.001),
        laptop(latency_s=0.004),
        latency_causes=frozenset({"model", "runtime"}),
    ).part_by_cause_g

    assert parts["model"] == pytest.approx(parts["runtime"])
    assert parts["model"] > 0


def test_a_corrected_table_and_a_typed_power_are_told_apart():
    table = explain(laptop(), laptop(cpu_power_w=15.0))
    typed = explain(laptop(), laptop(cpu_power_w=15.0), described_anew=frozenset({"cpu"}))

    assert moved(table) == {"power_table"}
    assert moved(typed) == {"machine"}
    assert table.whole_g == typed.whole_g > 0


def test_a_gpu_that_was_not_there_before_is_the_machines_doing():
    movement = explain(laptop(), laptop(gpu_power_w=60.0), described_anew=frozenset({"gpu"}))

    assert moved(movement) == {"machine"}
    gpu_g = estimate(Assumptions(0, 0, 60.0, pue=1.0, intensity_g_per_kwh=713.0), 0.001).emission_g
    assert movement.part_by_cause_g["machine"] == pytest.approx(gpu_g)


def test_an_unknown_cause_is_refused():
    with pytest.raises(ValueError, match="weather"):
        explain(laptop(), laptop(), latency_causes=frozenset({"weather"}))
    with pytest.raises(ValueError, match="fan"):
        explain(laptop(), laptop(), described_anew=frozenset({"fan"}))
