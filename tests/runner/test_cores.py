import os

import pytest

from runner.cores import choose, cores_of, pin


def test_core_0_is_left_to_the_system_where_there_is_another():
    assert choose({0, 1}, 1, {}) == (1,)
    assert choose({0, 1}, 2, {}) == (0, 1)
    assert choose({0}, 1, {}) == (0,)


def test_threads_share_no_hardware_while_there_is_some_free():
    siblings = {core: frozenset({core % 4, core % 4 + 4}) for core in range(8)}

    assert choose(range(8), 2, siblings) == (6, 7)
    assert choose(range(8), 4, siblings) == (4, 5, 6, 7)
    assert choose(range(8), 5, siblings) == (3, 4, 5, 6, 7)


def test_a_sibling_that_is_not_allowed_stands_in_nobodys_way():
    siblings = {core: frozenset({core % 2, core % 2 + 2}) for core in range(4)}

    assert choose({0, 1}, 2, siblings) == (0, 1)


def test_more_threads_than_cores_get_all_the_cores():
    assert choose({2, 3}, 16, {}) == (2, 3)


@pytest.mark.parametrize("text", ["", "a", "-1", "1,,2"])
def test_a_list_that_names_no_cores_is_refused(text):
    with pytest.raises(ValueError):
        cores_of(text)


def test_a_process_stays_on_the_cores_it_was_given(tmp_path):
    before = os.sched_getaffinity(0)
    try:
        cores = pin(1, tmp_path)

        assert set(cores) == os.sched_getaffinity(0) <= before
        assert len(cores) == 1
    finally:
        os.sched_setaffinity(0, before)
