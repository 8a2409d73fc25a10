"""The what-if cases that Python and JavaScript both have to answer alike, to the last digit."""

import json
from pathlib import Path

CASES_FILE = Path(__file__).parent / "data" / "whatif_cases.json"


def whatif_cases() -> list[dict]:
    """Each case: factors of one run (latency_s, cpu_w, ...), and energy_kwh and emission_g."""
    return json.loads(CASES_FILE.read_text())
