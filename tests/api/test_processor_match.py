"""Which row a machine's own words mean: exact, then by model number, in doubt none."""

import pytest

from hardware.matching import is_same_processor, match_processors
from hardware.models import Processor
from hardware.reference import load_reference
from hardware.tables import TABLE_BY_SLUG
from tests.api.scripts import BASE, script_of
from tests.people import a_processor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def table():
    for vendor, name in [
        ("AMD", "EPYC 9B14"),
        ("AMD", "EPYC 7763"),
        ("AMD", "Ryzen 7 5800X"),
        ("Apple", "M1"),
        ("Apple", "M1 Pro"),
        ("Intel", "Core i7-12700H"),
        ("Intel", "Xeon E5-2690"),
        ("Intel", "Xeon E5-2690 v4"),
        ("Intel", "Xeon Gold 6154"),
        ("Intel", "Xeon 2.4"),
    ]:
        a_processor(name, vendor=vendor)
    a_processor("A100 SXM4 80 GB", vendor="NVIDIA", kind="gpu")


def matches(name):
    return match_processors(Processor.objects.all(), name)


@pytest.mark.parametrize(
    "said, meant",
    [
        ("AMD EPYC 9B14 96-Core Processor", "AMD EPYC 9B14"),
        ("AMD Ryzen 7 5800X 8-Core Processor", "AMD Ryzen 7 5800X"),
        ("Apple M1", "Apple M1"),
        ("apple m1 pro", "Apple M1 Pro"),
        ("M1 Pro", "Apple M1 Pro"),
        ("12th Gen Intel(R) Core(TM) i7-12700H", "Intel Core i7-12700H"),
        ("Intel(R) Xeon(R) CPU E5-2690 v4 @ 2.60GHz", "Intel Xeon E5-2690 v4"),
        ("Intel(R) Xeon(R) CPU E5-2690 0 @ 2.90GHz", None),
        ("NVIDIA A100-SXM4-80GB", "NVIDIA A100 SXM4 80 GB"),
    ],
)
def test_what_surrounds_a_name_does_not_matter(said, meant):
    found = matches(said)

    assert [(str(one.processor), one.is_exact) for one in found] == (
        [(meant, True)] if meant else []
    )


@pytest.mark.parametrize(
    "said",
    [
        "AMD EPYC",
        "Intel(R) Xeon(R) CPU @ 2.20GHz",
        "Intel(R) Xeon(R) Processor @ 2.40GHz",
        "AMD EPYC Processor",
        "Apple M1 Max",
        "Intel M1",
        "AMD EPYC 7763P",
        "AMD EPYC 776",
        "Cortex-A72",
        "QEMU Virtual CPU version 2.5+",
        "2.4 GHz",
        "((((",
    ],
)
def test_a_name_that_could_mean_anything_means_nothing(said):
    assert matches(said) == []


def test_the_same_model_number_is_offered_with_what_differs():
    (match,) = matches("Intel Xeon 6154")

    assert not match.is_exact
    assert str(match.processor) == "Intel Xeon Gold 6154"
    assert match.reason == "The same model number, 6154; the table's name adds “gold”."


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        # Google's own EPYC, for which AMD states no power: the table honestly has no row.
        ("AMD EPYC 9B14 96-Core Processor", None),
        ("Intel(R) Xeon(R) CPU @ 2.20GHz", None),
        ("AMD EPYC", None),
        ("Apple M1 Pro", "M1 Pro"),
        ("AMD EPYC 7763 64-Core Processor", "EPYC 7763"),
    ],
)
def test_a_script_asks_the_shipped_table(said, meant):
    Processor.objects.all().delete()
    load_reference(tables=[TABLE_BY_SLUG["processors"]])

    answer = script_of().get(f"{BASE}/processors/match/", {"name": said}).json()

    found = [(one["processor"]["name"], one["is_exact"]) for one in answer["results"]]
    assert found == ([(meant, True)] if meant else [])
    assert all(one["reason"] for one in answer["results"])


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("AMD EPYC 9B14", "AMD EPYC 9B14 96-Core Processor", True),
        ("EPYC 9B14", "AMD EPYC 9B14 96-Core Processor", True),
        ("Intel Xeon Gold 6154", "Intel(R) Xeon(R) Gold 6154 CPU @ 3.00GHz", True),
        ("Intel(R) Xeon(R) CPU @ 2.20GHz", "Intel(R) Xeon(R) CPU @ 2.20GHz", True),
        ("Apple M1", "Apple M1 Pro", False),
        ("AMD EPYC", "AMD EPYC 9B14 96-Core Processor", False),
        ("Intel Xeon E5-2690", "Intel(R) Xeon(R) CPU E5-2690 v4 @ 2.60GHz", False),
        ("Intel M1", "Apple M1", False),
        ("CPU", "", False),
        ("", "", False),
    ],
)
def test_two_names_of_one_processor_are_told_from_like_ones(one, other, is_same):
    assert is_same_processor(one, other) is is_same
    assert is_same_processor(other, one) is is_same
