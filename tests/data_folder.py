"""Gives each test run a data folder of its own: nothing lands in the developer's.

A plugin named in pyproject.toml, because pytest-django reads the settings before any conftest.
"""

import atexit
import os
import shutil
import tempfile

os.environ["CARBONSITE_DATA"] = tempfile.mkdtemp(prefix="carbonsite-test-")
atexit.register(shutil.rmtree, os.environ["CARBONSITE_DATA"], ignore_errors=True)
