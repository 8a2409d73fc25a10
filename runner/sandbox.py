"""The cage: what a child takes from itself, in which order, and what of it worked.

First what needs nothing but the kernel, then the limits, so that loading the libraries counts
against them, and once everything is loaded and open the two layers that close the door. Where
a layer is not to be had the rest is put on all the same, and the result says what is missing.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from runner import kernel, landlock, limits, namespaces, seccomp_filter
from runner.allowed_calls import rules_of_measuring, rules_of_writing
from runner.layers import Layer, MissingLayer, Sandbox

# Python's own threads and onnxruntime's, beside those that the session was told to have.
SPARE_THREADS = 16
_GPU = "the model runs on the GPU, whose driver needs the files and calls that it forbids"


class Cage:
    """The layers put on so far; the same process puts on one after the other."""

    def __init__(self) -> None:
        self._layers: list[Layer] = []
        self._missing: list[MissingLayer] = []

    @classmethod
    def begin(cls, parent_pid: int | None) -> "Cage":
        """Put on what comes before everything else, in a process that has one thread still.

        Ends the process where the parent ``parent_pid`` is gone already.
        """
        cage = cls()
        if parent_pid is None:
            cage._lacks("parent_death_signal", "no parent said that it waits")
        else:
            cage._put_on("parent_death_signal", lambda: limits.die_with(parent_pid))
        cage._put_on("no_new_privileges", limits.gain_no_rights)
        # Before not_dumpable: after it this file belongs to root.
        cage._put_on("first_to_go", limits.be_first_to_go)
        cage._put_on("not_dumpable", limits.hide_memory)
        cage._put_on("user_namespace", namespaces.leave_users)
        cage._leave_network()
        return cage

    def limit(self, bounds: limits.Bounds, *, thread_count: int) -> None:
        """Bound memory, CPU time, open files and each file's growth, and leave no core file."""
        # Outside a namespace of its own it would count the processes of the whole account.
        if "user_namespace" in self._layers:
            limits.limit_threads(thread_count + SPARE_THREADS)
        self._put_on("limits", lambda: limits.limit_resources(bounds))

    def close(
        self, *, thread_count: int, may_write: Path | None = None, uses_gpu: bool = False
    ) -> None:
        """Lock the door: from here on nothing is opened, started or connected to.

        Where the job has to write, ``may_write`` is the one file for it. One that ``uses_gpu``
        leaves the door open.
        """
        if uses_gpu:
            self._lacks("landlock", _GPU)
            self._lacks("seccomp", _GPU)
            return
        if _thread_count() > 1:
            self._lacks("landlock", "the process had several threads already")
        else:
            self._put_on("landlock", lambda: landlock.restrict(may_write))
        # Without Landlock a looser filter would open every file of the machine.
        can_write = may_write is not None and "landlock" in self._layers
        make_rules = rules_of_writing if can_write else rules_of_measuring
        rules = make_rules(os.getpid(), thread_count=thread_count)
        self._put_on("seccomp", lambda: seccomp_filter.install(rules))

    def report(self) -> Sandbox:
        """Return the layers that are active, and the missing ones with their reasons."""
        return Sandbox(tuple(self._layers), tuple(self._missing))

    def _leave_network(self) -> None:
        # A process with rights needs no user namespace for it; one without cannot do without.
        self._put_on("network_namespace", namespaces.leave_network)
        try:
            namespaces.drop_capabilities()
        except (kernel.Unavailable, OSError) as error:
            # Rights left over in a user namespace are a way deeper into the kernel.
            if "user_namespace" in self._layers:
                self._layers.remove("user_namespace")
                self._lacks("user_namespace", f"its rights remained: {kernel.reason(error)}")

    def _put_on(self, layer: Layer, put_on: Callable[[], None]) -> None:
        try:
            put_on()
        except (kernel.Unavailable, OSError, ValueError) as error:
            self._lacks(layer, kernel.reason(error))
        else:
            self._layers.append(layer)

    def _lacks(self, layer: Layer, reason: str) -> None:
        self._missing.append(MissingLayer(layer, reason))


def _thread_count() -> int:
    # The kernel's count: libraries start threads that Python does not know.
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()
