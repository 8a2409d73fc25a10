"""How the API is spoken to in tests."""

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from rest_framework.throttling import SimpleRateThrottle


@pytest.fixture(autouse=True)
def patient_site(monkeypatch):
    """A site that no test is too fast for; the tests of the limits set their own."""
    rates = {"anon": "100000/min", "user": "100000/min", "tokens": "100000/min"} | {
        "writes": "100000/min"
    }
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", rates)


@pytest.fixture(autouse=True)
def kept_connection():
    """The test's connection: a request that ends would close it, and the transaction with it.

    Django's own test client sees to that; the tests that call the WSGI application do not.
    """
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
