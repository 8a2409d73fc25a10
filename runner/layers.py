"""Which layers of the cage stood around a child, as it crosses the process border."""

from dataclasses import dataclass
from typing import Literal

Layer = Literal[
    "parent_death_signal",
    "no_new_privileges",
    "first_to_go",
    "not_dumpable",
    "user_namespace",
    "network_namespace",
    "limits",
    "landlock",
    "seccomp",
]
ALL_LAYERS: tuple[Layer, ...] = Layer.__args__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class MissingLayer:
    """A layer that is not active, for a ``reason`` that completes "not active: ..."."""

    layer: Layer
    reason: str


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The active layers, in the order in which they were put on, and the missing ones."""

    layers: tuple[Layer, ...] = ()
    missing: tuple[MissingLayer, ...] = ()

    @property
    def is_enough(self) -> bool:
        """Whether a stranger's model may be measured: limits, seccomp, and one layer more.

        Either Landlock or the namespaces keep the model from files or the network even where
        the filter of system calls should have a hole.
        """
        active = set(self.layers)
        is_apart = "landlock" in active or {"user_namespace", "network_namespace"} <= active
        return {"limits", "seccomp"} <= active and is_apart

    @property
    def is_complete(self) -> bool:
        """Whether every layer is active."""
        return set(self.layers) == set(ALL_LAYERS)
