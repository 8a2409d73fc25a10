"""What measured, machine and software, and fingerprints of what makes figures comparable."""

import contextlib
import hashlib
import os
import platform
import re
from collections.abc import Iterable, Mapping
from io import FileIO
from pathlib import Path

from runner.kept_open import KeptOpen
from runner.results import Machine, Software

ENGINE_VERSION = "3"
GIB = 2**30
MAX_TEXT_LENGTH = 200
# Source: proc_pid_clear_refs(5).
_RESET_PEAK = b"5"
_ROOT = Path("/")
# Source: Linux, arch/arm64/include/asm/cputype.h.
_ARM_CORES = {
    ("0x41", "0xd03"): "ARM Cortex-A53",
    ("0x41", "0xd08"): "ARM Cortex-A72",
    ("0x41", "0xd0b"): "ARM Cortex-A76",
    ("0x41", "0xd0c"): "ARM Neoverse N1",
    ("0x41", "0xd40"): "ARM Neoverse V1",
    ("0x41", "0xd49"): "ARM Neoverse N2",
    ("0x41", "0xd4f"): "ARM Neoverse V2",
    ("0xc0", "0xac3"): "Ampere AmpereOne",
}
_CACHE_LETTERS = {"Data": "d", "Instruction": "i", "Unified": ""}
_CACHE_UNITS = {"": 1, "K": 2**10, "M": 2**20}
_CACHE_SIZE = re.compile(r"(\d{1,12})([KM]?)")


def describe_machine(root: Path = _ROOT) -> Machine:
    """Return this machine, as the files below ``root`` tell it."""
    processor = _pairs(root / "proc/cpuinfo", ":")
    cpu = _clean(processor.get("model name") or _arm_name(processor) or "unknown")
    core_count = os.cpu_count() or 1
    memory_bytes = _memory_bytes(root)
    system = _pairs(root / "etc/os-release", "=").get("PRETTY_NAME", platform.system())
    system = _clean(system.strip('"'))
    architecture = platform.machine()
    # Memory is rounded: a new kernel keeps a few more megabytes for itself.
    memory_gib = None if memory_bytes is None else round(memory_bytes / GIB)
    return Machine(
        cpu=cpu,
        core_count=core_count,
        memory_bytes=memory_bytes,
        os=system,
        kernel=_clean(platform.release()),
        architecture=architecture,
        is_virtual=_is_virtual(processor),
        governor=_first_line(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        fingerprint=_fingerprint(cpu, core_count, memory_gib, system, architecture),
        cache_bytes=_cache_bytes(root),
    )


def describe_software(
    *,
    onnxruntime: str,
    numpy: str,
    provider: str,
    provider_options: Mapping[str, str],
    session_options: Mapping[str, str] | None = None,
) -> Software:
    """Return what runs the model, given the versions of its parts."""
    python = platform.python_version()
    python_minor = ".".join(python.split(".")[:2])
    return Software(
        onnxruntime=onnxruntime,
        provider=provider,
        provider_options=dict(provider_options),
        python=python,
        numpy=numpy,
        engine_version=ENGINE_VERSION,
        fingerprint=_fingerprint(onnxruntime, provider, python_minor, ENGINE_VERSION),
        session_options=dict(session_options or {}),
    )


class OwnMemory:
    """What this process has resident, read from a file that stays open.

    From VmHWM and VmRSS: getrusage's peak is inherited across fork and exec.
    """

    def __init__(self, root: Path = _ROOT) -> None:
        self._read_text = KeptOpen()
        self._path = root / "proc/self/status"
        self._read("VmRSS")
        self._peak_reset = _open_to_write(root / "proc/self/clear_refs")

    @property
    def peak_bytes(self) -> int | None:
        """The most that it has had, None where that is not told."""
        return self._read("VmHWM")

    @property
    def resident_bytes(self) -> int | None:
        """What it has now, None where that is not told."""
        return self._read("VmRSS")

    def forget_peak(self) -> None:
        """Count the peak from now on, where the system lets it.

        The file and its copy are in memory while a model is parsed from there; who loads it
        from its path never has them.
        """
        if self._peak_reset is not None:
            with contextlib.suppress(OSError):
                self._peak_reset.write(_RESET_PEAK)

    def _read(self, name: str) -> int | None:
        try:
            lines = self._read_text(self._path).splitlines()
        except OSError:
            return None
        spoken = _pairs_of(lines, ":").get(name, "")
        return int(spoken.split()[0]) * 1024 if spoken else None


def _open_to_write(path: Path) -> FileIO | None:
    try:
        return path.open("wb", buffering=0)
    except OSError:
        return None


def _memory_bytes(root: Path) -> int | None:
    spoken = _pairs(root / "proc/meminfo", ":").get("MemTotal", "")
    return int(spoken.split()[0]) * 1024 if spoken else None


def _cache_bytes(root: Path) -> dict[str, int]:
    """The caches of the first core; source: Linux, ABI/testing/sysfs-devices-system-cpu."""
    found: dict[str, int] = {}
    for folder in sorted((root / "sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (_first_line(folder / name) for name in ("level", "type", "size"))
        known = _CACHE_SIZE.fullmatch(size or "")
        if level and level.isdecimal() and kind in _CACHE_LETTERS and known:
            found[f"L{level}{_CACHE_LETTERS[kind]}"] = int(known[1]) * _CACHE_UNITS[known[2]]
    return found


def _arm_name(processor: Mapping[str, str]) -> str:
    """What Linux tells of an ARM core is two numbers, where it tells no name."""
    maker, part = processor.get("CPU implementer"), processor.get("CPU part")
    if maker is None or part is None:
        return platform.processor()
    return _ARM_CORES.get((maker, part), f"ARM core (implementer {maker}, part {part})")


def _is_virtual(processor: Mapping[str, str]) -> bool | None:
    # Only x86 has the flag; elsewhere nothing says so reliably.
    if "flags" not in processor:
        return None
    return "hypervisor" in processor["flags"].split()


def _pairs(path: Path, separator: str) -> dict[str, str]:
    """The first value of each name in a file of ``name<separator>value`` lines."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return _pairs_of(lines, separator)


def _pairs_of(lines: Iterable[str], separator: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, is_pair, value = line.partition(separator)
        if is_pair:
            found.setdefault(name.strip(), value.strip())
    return found


def _first_line(path: Path) -> str | None:
    try:
        return _clean(path.read_text(encoding="utf-8").strip()) or None
    except (OSError, UnicodeDecodeError):
        return None


def _clean(text: str) -> str:
    printable = "".join(character for character in text if character.isprintable())
    return " ".join(printable.split())[:MAX_TEXT_LENGTH]


def _fingerprint(*parts: object) -> str:
    told = "\n".join(str(part) for part in parts)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
