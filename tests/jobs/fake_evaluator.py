"""Stands in for `python -m core capsule surgery -`: the same arguments and lines, without torch.

What it does follows from the first edit's `below`: 1: it kills itself in its first attempt, 2: in each; 3: it takes
minutes; 4: it refuses; else it says a result at once, with its own process id in it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

from core.machine.lifeline import die_with_launcher


def main() -> None:
    die_with_launcher()
    assert sys.argv[1:3] == ["-", "--device"]
    for line in sys.stdin:
        asked = json.loads(line)
        answer(Path(asked["file"]), int(asked["request"]["edits"][0]["below"] or 0))


def answer(capsule: Path, what: int) -> None:
    say("progress", share=0.5)
    once = Path(os.environ["ONLYBN_DATA"]) / "died-once"
    if what == 2 or (what == 1 and not once.exists()):
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if what == 3:
        time.sleep(300)
    if what == 4:
        say("refused", message="the image is not there")
    else:
        say("result", pid=os.getpid(), capsule=capsule.read_bytes().decode())


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


if __name__ == "__main__":
    main()
