"""Measurements of the site itself, each a verb of the Makefile: `make bench-engine` and others."""

import os

# Before anything below can import onnxruntime: its Linux wheels send telemetry otherwise.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
