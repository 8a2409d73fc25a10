"""How the engine compares with other ways of timing a model; `make bench-engine`."""

import os

# Before anything below can import onnxruntime: its Linux wheels send telemetry otherwise.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
