from runner.machine import OwnMemory, describe_machine, describe_software

CPUINFO = "processor\t: 0\nmodel name\t: Some  CPU @ 2GHz\nflags\t\t: fpu {more}\n"


def fake_root(folder, *, flags="sse", memory_kib=8_388_608):
    (folder / "proc").mkdir(parents=True)
    (folder / "etc").mkdir()
    (folder / "proc/cpuinfo").write_text(CPUINFO.format(more=flags))
    (folder / "proc/meminfo").write_text(f"MemTotal:       {memory_kib} kB\n")
    (folder / "etc/os-release").write_text('PRETTY_NAME="Debian 12"\n')
    return folder


def test_a_machine_is_told_from_its_files(tmp_path):
    machine = describe_machine(fake_root(tmp_path))

    assert machine.cpu == "Some CPU @ 2GHz"
    assert machine.os == "Debian 12"
    assert machine.memory_bytes == 8 * 2**30
    assert machine.is_virtual is False
    assert machine.governor is None


def test_a_hypervisor_makes_a_machine_virtual(tmp_path):
    assert describe_machine(fake_root(tmp_path, flags="hypervisor")).is_virtual is True


def test_a_fingerprint_outlives_a_few_megabytes_and_changes_with_the_memory(tmp_path):
    roots = [("a", 8_388_608), ("b", 8_380_000), ("c", 16_777_216)]

    prints = [
        describe_machine(fake_root(tmp_path / name, memory_kib=kib)).fingerprint
        for name, kib in roots
    ]

    assert prints[0] == prints[1] != prints[2]


def test_a_machine_without_any_such_file_is_described_all_the_same(tmp_path):
    machine = describe_machine(tmp_path)

    assert machine.memory_bytes is None
    assert machine.is_virtual is None
    assert machine.cpu


def test_another_runtime_has_another_fingerprint():
    one, other = (
        describe_software(onnxruntime=version, numpy="2", provider="CPU", provider_options={})
        for version in ("1.32.0", "1.33.0")
    )

    assert one.fingerprint != other.fingerprint


def cache(root, name, **files):
    folder = root / "sys/devices/system/cpu/cpu0/cache" / name
    folder.mkdir(parents=True)
    for file_name, text in files.items():
        (folder / file_name).write_text(f"{text}\n")


def test_caches_are_told_by_level_and_kind(tmp_path):
    root = fake_root(tmp_path)
    cache(root, "index0", level=1, type="Data", size="32K")
    cache(root, "index1", level=1, type="Instruction", size="64K")
    cache(root, "index2", level=2, type="Unified", size="1024K")
    cache(root, "index3", level=3, type="Unified", size="32M")
    cache(root, "index4", level=4, type="Unified", size="unknown")

    assert describe_machine(root).cache_bytes == {
        "L1d": 32 * 2**10,
        "L1i": 64 * 2**10,
        "L2": 2**20,
        "L3": 32 * 2**20,
    }


ARM = "processor\t: 0\nCPU implementer\t: {}\nCPU part\t: {}\n"


def test_an_arm_core_is_told_by_its_numbers(tmp_path):
    names = []
    for place, numbers in enumerate((("0x41", "0xd0c"), ("0x99", "0x001"))):
        root = fake_root(tmp_path / str(place))
        (root / "proc/cpuinfo").write_text(ARM.format(*numbers))
        names.append(describe_machine(root).cpu)

    assert names == ["ARM Neoverse N1", "ARM core (implementer 0x99, part 0x001)"]


def test_the_peak_of_memory_can_be_counted_anew(tmp_path):
    (tmp_path / "proc/self").mkdir(parents=True)
    status, reset = tmp_path / "proc/self/status", tmp_path / "proc/self/clear_refs"
    status.write_text("Name:\tpython\nVmHWM:\t     300 kB\nVmRSS:\t     100 kB\n")
    reset.write_bytes(b"")
    memory = OwnMemory(tmp_path)

    memory.forget_peak()

    assert (memory.peak_bytes, memory.resident_bytes) == (300 * 1024, 100 * 1024)
    assert reset.read_bytes() == b"5"


def test_where_the_system_tells_no_memory_none_is_claimed(tmp_path):
    memory = OwnMemory(tmp_path)
    memory.forget_peak()

    assert (memory.peak_bytes, memory.resident_bytes) == (None, None)
