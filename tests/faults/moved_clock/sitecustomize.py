"""A machine's clock that a test moves; Python reads this before any program where it is found.

As many seconds as stand in this service's file in the folder ``MOVED_CLOCKS`` are added to every
time of day. Files keep the kernel's times, and clocks that only run are left alone.
"""

import copyreg
import datetime
import functools
import os
import time

_true_datetime, _true_time, _true_time_ns = datetime.datetime, time.time, time.time_ns
_path = os.path.join(os.environ["MOVED_CLOCKS"], os.environ["COMPOSED_SERVICE"])


def _moved_by_s() -> float:
    try:
        with open(_path) as file:
            return float(file.read() or 0)
    except FileNotFoundError:
        return 0.0


class _EveryDatetime(type):
    """Takes true moments for its own: libraries in C make no others."""

    def __instancecheck__(cls, one):
        return isinstance(one, _true_datetime)

    def __subclasscheck__(cls, one):
        return issubclass(one, _true_datetime)


class MovedDatetime(_true_datetime, metaclass=_EveryDatetime):
    """``datetime.datetime`` by the moved clock."""

    __slots__ = ()

    @classmethod
    def now(cls, tz=None):
        return _true_datetime.now(tz) + datetime.timedelta(seconds=_moved_by_s())

    @classmethod
    def utcnow(cls):
        return cls.now(datetime.UTC).replace(tzinfo=None)


def _reduced(one):
    return eval, (f"__import__('datetime').datetime.fromisoformat('{one.isoformat()}')",)


# A pickle names the class, under whose name there is another now; beat keeps its times in one.
for _class in (_true_datetime, MovedDatetime):
    copyreg.pickle(_class, _reduced)
datetime.datetime = MovedDatetime


def _moved(read, per_s):
    return read() + type(per_s)(_moved_by_s() * per_s)


# No plain functions: where a class keeps one of these, it would become its method.
time.time = functools.partial(_moved, _true_time, 1.0)
time.time_ns = functools.partial(_moved, _true_time_ns, 10**9)
