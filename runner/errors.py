"""Everything that `runner` raises, and the code that each carries across the border.

RunnerError
    Nonsense             a job or result that does not say what it must
    InputProblem         a choice of sizes or values that this model cannot take
        UnsupportedInput   an input of a kind that carbonsite cannot make up
    Rejected             a file that is not a model we can measure
    MeasurementFailed    the model could not be loaded or run
    MeterFailed          a power meter that cannot be read; ends no measurement
"""


class RunnerError(Exception):
    """A refusal with a stable code and one sentence for the reader."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Nonsense(RunnerError):
    """A job or result file that cannot be taken at its word; ``field`` says where."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__("nonsense", f"{field}: {message}" if field else message)
        self.field = field


class InputProblem(RunnerError):
    """A size or value that the model cannot take; ``field`` names the setting to change.

    ``field`` is a dotted path such as ``batch_size`` or ``inputs.dims.sequence``.
    """

    def __init__(self, field: str, message: str, *, code: str = "bad_input") -> None:
        super().__init__(code, message)
        self.field = field


class UnsupportedInput(InputProblem):
    """An input of a kind (a sequence, a map, ...) that no value can be made up for."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message, code="unsupported_input")


class Rejected(RunnerError):
    """A file that is no model we can measure."""


class MeasurementFailed(RunnerError):
    """A model that could not be loaded, or that failed while it ran."""


class MeterFailed(RunnerError):
    """A power meter that cannot be read; the message completes "not available: ..."."""

    def __init__(self, message: str) -> None:
        super().__init__("meter_failed", message)
