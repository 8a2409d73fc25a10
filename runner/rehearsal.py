"""What would open files later is done once before the cage is closed.

onnxruntime looks at the processor's files when the first session is made, numpy and Python load
modules when they are first used, and glibc reads a locale when it is first asked for.
"""

import codecs
from io import BytesIO

import numpy as np

from runner.bursts import MIN_SAMPLE_NS, BurstLog
from runner.inputs import make_values
from runner.job import InputChoices
from runner.onnx_file import inspect_bytes
from runner.session import declared_inputs, load_bytes, prepare
from runner.shapes import plan_inputs
from runner.text_locale import hold_locale
from runner.timings import Timings
from runner.tiny_model import TINY_MODEL


def rehearse() -> None:
    """Do with a model of ours all that is going to be done with the stranger's."""
    hold_locale()
    session = load_bytes(TINY_MODEL, intra_op_threads=1)
    planned = plan_inputs(declared_inputs(session, InputChoices()), InputChoices())
    prepare(session, planned, make_values(planned, seed=0)).call()
    inspect_bytes(TINY_MODEL)
    _read_arrays()
    _sum_up()


def _read_arrays() -> None:
    packed = BytesIO()
    np.savez(packed, x=np.zeros(1))
    packed.seek(0)
    with np.load(packed, allow_pickle=False) as arrays:
        arrays["x"].sum()
    # What zipfile reads names in that are not said to be UTF-8.
    codecs.lookup("cp437")


def _sum_up() -> None:
    log = BurstLog()
    for _ in range(2):
        log.add([MIN_SAMPLE_NS] * 2, cpu_ns=MIN_SAMPLE_NS, sentinels_ns=(1, 1))
        log.end_round()
    timings = Timings.of(log, batch_size=1)
    timings.latency()
    timings.as_measured()
    timings.samples_s()
