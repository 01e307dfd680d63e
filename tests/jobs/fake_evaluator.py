"""Stands in for `python -m core capsule surgery`: the same arguments and lines, without torch.

What it does follows from the first edit's `below`: 1: it kills itself in its first attempt, 2: in each; 3: it takes
minutes; 4: it refuses; 5: it takes three seconds; else it says a result at once, with its own process id in it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

from core.lifeline import die_with_parent


def main() -> int:
    die_with_parent()
    capsule, request = Path(sys.argv[1]), Path(sys.argv[sys.argv.index("--request") + 1])
    edits = json.loads(request.read_text())["edits"]
    what = int(edits[0]["below"] or 0) if edits else 0
    print(json.dumps({"event": "progress", "share": 0.5}), flush=True)
    once = Path(os.environ["ONLYBN_DATA"]) / "died-once"
    if what == 2 or (what == 1 and not once.exists()):
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if what == 4:
        print("error: the image is not there", file=sys.stderr)
        return 2
    time.sleep({3: 300.0, 5: 3.0}.get(what, 0.0))
    print(json.dumps({"event": "result", "pid": os.getpid(), "capsule": capsule.read_bytes().decode()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
