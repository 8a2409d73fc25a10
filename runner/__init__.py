"""How a measurement is taken and a stranger's ONNX file is read: a child process without Django."""

import os

# Set before anything below can import onnxruntime: since 1.29 its Linux wheels report
# usage, write a device id below the home folder and start a thread unless told not to.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
