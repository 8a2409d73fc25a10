"""Which row of the processor table a machine's own words mean; in doubt, none."""

import re
from dataclasses import dataclass

from hardware.models import Processor

MAX_NAME_LENGTH = 200
MAX_MATCHES = 10
# What makers, kernels and hypervisors put around a model's name, and what says nothing of it.
NOISE = [
    r"\(r\)|\(tm\)|\(c\)|[®™©]",
    r"@.*$",
    r"\b\d+(st|nd|rd|th) gen(eration)?\b",
    r"\b(\d+|dual|quad|six|eight|twelve|sixteen)[- ]core\b",
    r"\b(with|w/) radeon .*$|\bwith .* graphics\b",
    r"\b(processor|cpu|apu|gpu|soc)\b",
]
MEMORY_SIZE = re.compile(r"\b(\d+)\s*gb\b")
WORD = re.compile(r"[^\s,;/()\[\]-]+")
# Words without a digit that make it another part all the same: an M1 is no M1 Pro.
TELLING_WORDS = {
    "pro",
    "max",
    "ultra",
    "ti",
    "super",
    "xt",
    "xtx",
    "xl",
    "plus",
    "mobile",
    "laptop",
    "nano",
    "extreme",
    "se",
}
VENDORS = {
    "amd",
    "ampere",
    "apple",
    "arm",
    "aws",
    "intel",
    "microsoft",
    "nvidia",
    "qualcomm",
    "via",
    "zhaoxin",
}


@dataclass(frozen=True, slots=True)
class ProcessorMatch:
    """A row of the table, whether the name is its name, and why it is offered."""

    processor: Processor
    is_exact: bool
    reason: str


def match_processors(processors, raw_name: str) -> list[ProcessorMatch]:
    """Return the rows among ``processors`` that ``raw_name`` may mean, best first.

    Exact after dropping what says nothing of the model ("(R)", "@ 2.20GHz", "96-Core
    Processor"). Otherwise the model numbers have to be the same, and one name has to hold all
    words of the other. A name without any model number ("AMD EPYC") means no row.
    """
    asked = plain_words(raw_name)
    numbers = [word for word in asked if _has_digit(word) and not word.endswith("gb")]
    if not numbers:
        return []
    candidates = processors.filter(name__icontains=max(numbers, key=len))
    matches = [match for row in candidates if (match := _match(row, asked))]
    if any(match.is_exact for match in matches):
        matches = [match for match in matches if match.is_exact]
    matches.sort(key=lambda match: (len(match.processor.name), str(match.processor)))
    return matches[:MAX_MATCHES]


def is_same_processor(one: str, other: str) -> bool:
    """Answer whether two names mean one processor, by the rules of ``match_processors``.

    An M1 is no M1 Pro, and a name without any model number ("AMD EPYC") is only itself.

    >>> is_same_processor("AMD EPYC 9B14", "AMD EPYC 9B14 96-Core Processor")
    True
    >>> is_same_processor("Apple M1", "Apple M1 Pro")
    False
    """
    words, others = plain_words(one), plain_words(other)
    if words == others:
        return bool(words)
    has_number = any(_has_digit(word) for word in words)
    if not has_number or _telling(words) != _telling(others) or _vendors_differ(words, others):
        return False
    models, other_models = set(words) - VENDORS, set(others) - VENDORS
    return models <= other_models or other_models <= models


def plain_words(raw_name: str) -> tuple[str, ...]:
    """Return the words that tell a processor from others, in lower case.

    >>> plain_words("Intel(R) Xeon(R) CPU E5-2690 v4 @ 2.60GHz")
    ('intel', 'xeon', 'e5', '2690', 'v4')
    >>> plain_words("AMD EPYC 9B14 96-Core Processor")
    ('amd', 'epyc', '9b14')
    """
    text = raw_name.lower()
    for pattern in NOISE:
        text = re.sub(pattern, " ", text)
    return tuple(WORD.findall(MEMORY_SIZE.sub(r"\1gb", text)))


def _match(row: Processor, asked: tuple[str, ...]) -> ProcessorMatch | None:
    full = plain_words(str(row))
    if asked in (full, plain_words(row.name)):
        return ProcessorMatch(row, True, f"The same name as “{row}” in the table.")
    if _telling(asked) != _telling(full) or _names_another_vendor(asked, full):
        return None
    only_asked = [word for word in asked if word not in full]
    only_row = [word for word in full if word not in asked and word not in VENDORS]
    shares_a_word = any(word in full and not _has_digit(word) for word in asked)
    if (only_asked and only_row) or not shares_a_word:
        return None
    return ProcessorMatch(row, False, _why_not_exact(asked, only_asked, only_row))


def _why_not_exact(asked, only_asked, only_row) -> str:
    same = "The same model number, " + " ".join(word for word in asked if _has_digit(word))
    if only_asked:
        return f"{same}; the table's name lacks “{' '.join(only_asked)}”."
    if only_row:
        return f"{same}; the table's name adds “{' '.join(only_row)}”."
    return f"{same}; the same words otherwise, in another order or with the vendor."


def _telling(words) -> set[str]:
    return {word for word in words if _has_digit(word) or word in TELLING_WORDS}


def _names_another_vendor(asked, full) -> bool:
    named = VENDORS.intersection(asked)
    return bool(named) and named.isdisjoint(full)


def _vendors_differ(words, others) -> bool:
    named, others_named = VENDORS.intersection(words), VENDORS.intersection(others)
    return bool(named and others_named) and named.isdisjoint(others_named)


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)
