"""Which numbers the arithmetic refuses: the ones that no machine can have."""

import math


def require_not_negative(**value_by_name: float) -> None:
    """Raise ValueError, naming the first value that is negative or not finite.

    >>> require_not_negative(power_w=16.0, duration_s=0.0)
    """
    for name, value in value_by_name.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} must be finite and not negative, got {value!r}")


def require_positive(**value_by_name: float) -> None:
    """Raise ValueError, naming the first value that is zero, negative or not finite."""
    for name, value in value_by_name.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be finite and greater than zero, got {value!r}")


def require_pue(pue: float) -> None:
    """Raise ValueError when ``pue`` is below 1: a building cannot save what its machines draw."""
    if not 1 <= pue < math.inf:
        raise ValueError(f"pue must be finite and at least 1, got {pue!r}")
