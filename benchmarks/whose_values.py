"""Who is told what real inputs are called, and their hash: their owner, and staff.

Whoever sees a result sees that it rests on real inputs, of which types and shapes, and how many.
Repeating it takes the file itself, which its owner alone can hand on; its name and hash come with
it. Told to everybody, the hash would confirm any guess of what is in the file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

UNNAMED = "real inputs of the owner's"
REASON_UNTOLD = "The labels of its evaluation set could not be used. Its owner is told why."
# Of what an evaluation may fail of, this alone quotes the set.
QUOTES_THE_SET = "bad_labels"


def are_told_to(user, row) -> bool:
    """Whether ``user``, None for a stranger, is told of the real inputs of ``row``.

    That is a model, or a run or a sweep: who asked for it has chosen them.
    """
    if user is None:
        return False
    return user.is_staff or (user.pk is not None and row.owner_id == user.pk)


def told_of(row, *, is_told: bool) -> dict[str, str | None]:
    """Return what is said of the real inputs of a run, a sweep or an evaluation, by field."""
    if not row.values_name:
        return {"values_name": None, "values_sha256": None}
    if not is_told:
        return {"values_name": UNNAMED, "values_sha256": None}
    return {"values_name": row.values_name, "values_sha256": row.values_sha256 or None}


def reason_told(evaluation, *, is_told: bool) -> str:
    """Return why an evaluation failed, without what it quotes of the set for all but its owner."""
    if evaluation.failure_code == QUOTES_THE_SET and not is_told:
        return REASON_UNTOLD
    return evaluation.failure_message


def identity_of(run) -> tuple:
    """Return what tells the real inputs of ``run`` from others; nothing where it has none.

    Those of two owners are never the same: else anybody could send what they guess a file to
    be, and be told whether it is.
    """
    return (run.owner_id, run.values_sha256) if run.values_sha256 else ()


def evaluation_set_of(version) -> tuple:
    """Return the same of what a version's accuracy was measured on; nothing where it was typed."""
    found = version.accuracy.measured
    return (version.onnx_model.owner_id, found.values_sha256) if found else ()


@dataclass(frozen=True, slots=True)
class ValuesNames:
    """What the real inputs of one model are called where somebody looks at its history."""

    are_told: bool = False
    # Where there are several that are not told, so that their lines can be told apart.
    number_by_sha256: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, onnx_model, hashes: Iterable[str], *, user) -> "ValuesNames":
        """Return the names for ``user``; ``hashes`` in the order in which they were first used."""
        if are_told_to(user, onnx_model):
            return cls(are_told=True)
        used = [one for one in dict.fromkeys(hashes) if one]
        several = enumerate(used, start=1) if len(used) > 1 else ()
        return cls(number_by_sha256={sha256: number for number, sha256 in several})

    def called(self, name: str, sha256: str) -> str:
        """Return what one set is called; nothing for none."""
        if not sha256:
            return ""
        if self.are_told:
            return f"“{name}”"
        number = self.number_by_sha256.get(sha256)
        return UNNAMED if number is None else f"{UNNAMED} ({number})"


UNTOLD = ValuesNames()
