"""What the tests of the pages and steps behind them share."""

import pytest

from benchmarks import execution
from tests.people import owner


@pytest.fixture
def signed_in(client):
    """A browser of the owner's, logged in."""
    client.force_login(owner())
    return client


@pytest.fixture
def in_a_hurry(settings, tmp_path):
    """A site that measures for a moment only, in a data folder of the test's own."""
    settings.MEASURING_S = 0.3
    settings.DATA_DIR = tmp_path
    execution.worker_is_stopping.clear()
    yield
    execution.worker_is_stopping.clear()
