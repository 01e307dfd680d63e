"""All faults of the campaign, with plain Huey beside them: `.venv/bin/python -m tests.faults.campaign --json FILE`."""

from __future__ import annotations

import sys

from tests.faults.campaign import cancels, checkpoints, kills, outages, pauses, points, resources, trainings
from tests.faults.campaign.beside import FAULTS as BESIDE
from tests.faults.campaign.report import main

SCRIPTS = {
    "kills": kills,
    "points": points,
    "pauses": pauses,
    "checkpoints": checkpoints,
    "outages": outages,
    "resources": resources,
    "trainings": trainings,
    "cancels": cancels,
}
FAULTS = {f"{script}.{name}": fault for script, module in SCRIPTS.items() for name, fault in module.FAULTS.items()}

if __name__ == "__main__":
    sys.exit(main(__doc__, {**FAULTS, **{f"beside.{name}": fault for name, fault in BESIDE.items()}}))
