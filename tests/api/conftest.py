"""How the API is spoken to in tests."""

import pytest
from rest_framework.throttling import SimpleRateThrottle


@pytest.fixture(autouse=True)
def patient_site(monkeypatch):
    """A site that no test is too fast for; the tests of the limits set their own."""
    rates = {"anon": "100000/min", "user": "100000/min", "tokens": "100000/min"}
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", rates)
