"""The rules of a profile, the same for form and API."""

import pytest
from django.core.exceptions import ValidationError

from hardware.models import HardwareProfile
from hardware.profile_rules import check_profile, save_profile
from tests.people import a_processor, a_profile, a_zone, owner, teammate

pytestmark = pytest.mark.django_db


def described(**fields):
    """An unsaved machine that follows every rule: 13 W of CPU and 3 W of RAM in India."""
    values = {"owner": owner(), "name": "New", "zone": a_zone(), "cpu_tdp_w": 13.0, "ram_gb": 8.0}
    return HardwareProfile(**values | fields)


def errors_of(profile):
    with pytest.raises(ValidationError) as refusal:
        check_profile(profile)
    return refusal.value.message_dict


def test_a_machine_that_follows_the_rules_is_stored():
    profile = save_profile(described())

    assert profile.total_power_w == 16


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pue", 0.9),
        ("pue", 5.1),
        ("pue", float("nan")),
        ("cpu_tdp_w", -1.0),
        ("cpu_tdp_w", float("inf")),
        ("cpu_count", 0),
        ("ram_gb", -8.0),
        ("ram_power_w", -3.0),
        ("gpu_tdp_w", -1.0),
        ("gpu_count", -1),
        # More digits than a float has room for.
        ("cpu_count", 10**400),
        ("gpu_count", 10**400),
    ],
)
def test_a_number_out_of_range_is_refused_beside_its_field(field, value):
    assert field in errors_of(described(**{field: value}))


def test_a_processor_that_is_not_in_the_table_asks_for_its_tdp():
    errors = errors_of(described(cpu_tdp_w=None, cpu_name="EPYC 9B14"))

    assert "“EPYC 9B14” is not in the table" in errors["cpu_tdp_w"][0]


def test_a_machine_without_any_cpu_is_refused():
    assert "cpu" in errors_of(described(cpu_tdp_w=None))


def test_a_gpu_is_no_cpu():
    gpu = a_processor("A100", vendor="NVIDIA", kind="gpu", tdp_w=400.0)

    assert "is a GPU" in errors_of(described(cpu=gpu))["cpu"][0]


def test_gpus_without_a_known_power_are_refused():
    errors = errors_of(described(gpu_count=1, gpu_name="Homemade"))

    assert "type its TDP" in errors["gpu_tdp_w"][0]


def test_a_machine_that_draws_no_power_is_refused():
    errors = errors_of(described(cpu_tdp_w=0.0, ram_gb=0.0))

    assert "no power at all" in errors["cpu_tdp_w"][0]


def test_a_name_is_used_once_by_each_owner():
    a_profile(owner(), name="New")

    assert "already have a machine" in errors_of(described())["name"][0]
    check_profile(described(owner=teammate()))


def test_a_machine_keeps_its_own_name_when_it_is_changed():
    profile = a_profile(owner(), name="New")

    check_profile(profile)


def test_two_requests_with_one_name_store_one_machine(monkeypatch):
    a_profile(owner(), name="New")
    # The other request was stored after this one's check.
    monkeypatch.setattr("hardware.profile_rules.check_profile", lambda profile: None)

    with pytest.raises(ValidationError) as refusal:
        save_profile(described())

    assert "name" in refusal.value.message_dict
