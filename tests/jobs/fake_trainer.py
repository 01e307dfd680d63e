"""Stands in for `python -m core train` where a test is about processes and not about training.

It takes the same arguments and says the same events, in a tenth of a second instead of three. What it does follows
from its spec's name, words with numbers: `steps=40 pause=0.05 kill=3` takes 40 steps of 0.05 s and kills itself
when it begins step 3 of its first attempt (`always`: of each). Likewise segfault=N and fail=N. `exit2`: refuses
its arguments; `stubborn`: ignores SIGTERM; `chatter`: writes a line that is no event; `child`: starts a process;
`findings`: says what analyses found; `capsule=N`: leaves one of N bytes; `saving=0.45`: its last checkpoint takes
0.45 s when it is stopped; `hang=N`: stands still when it begins step N of its first attempt; `importing=2`: says
nothing for 2 s; `nodata`: finds no images; `checkpoint=N`: its checkpoints are N times as large.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

from core.machine.lifeline import die_with_parent

CHECKPOINT_EVERY = 5
COUNTS = {"total": 10, "trainable": 1, "batchnorm": 1, "output": 1, "shortcut": 1}

SPREAD = {"count": 4, "mean": 0.5, "sd": 0.25, "negative": 0.25, "near_zero": 0.5}
FINDINGS = {
    **dict.fromkeys(("gamma", "gamma_inner", "beta", "beta_inner"), SPREAD),
    "layers": [{"name": "stem.norm", "stage": 0, "shortcut": False, "gamma": SPREAD, "beta": SPREAD}],
    "ablation": [{"epsilon": 0.0, "zeroed": 0.0, "top1": 0.75, "change": 0.0}],
    "relus": [{"name": "relu", "stage": 0, "position": 0, "channels": 16, "mostly_off": 0.5, "always_off": 0.25}],
    "relu_mostly_off": 0.5,
    "relu_always_off": 0.25,
    "unused_parameters": 9,
    "test_examples": 9,
    "seconds": 0.1,
}


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


class FakeTraining:
    def __init__(self, arguments: argparse.Namespace, words: dict[str, str]) -> None:
        self.out, self.attempt, self.threads = Path(arguments.out), int(arguments.attempt), int(arguments.threads)
        self.words = words
        self.steps = int(words.get("steps", 10))
        self.stop = False
        self.checkpoints = self.out / "checkpoints"
        self.checkpoints.mkdir(exist_ok=True)

    def prepare(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in self.words else self._asked_to_stop)
        if "child" in self.words:
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
            (self.out / "child.pid").write_text(str(child.pid))
        if "chatter" in self.words:
            print("this is not an event", flush=True)
        (self.out / "trainer.pid").write_text(str(os.getpid()))

    def _asked_to_stop(self, *_: object) -> None:
        self.stop = True

    def run(self) -> int:
        saved = max((int(path.name) for path in self.checkpoints.glob("[0-9]*")), default=None)
        self.say_started(saved)
        if saved is not None:
            self.save(saved)
            for step in range(saved + 1):  # like the journal of the real one: the curves so far, again
                self.say_point(step)
        for step in range(saved or 0, self.steps):
            if self.attempt == 1 or "always" in self.words:
                self.maybe_die(step)
            if step == int(self.words.get("fail", -1)):
                say("failed", step=step, kind="diverged", message="The loss became infinite.")
                return 1
            if self.stop:
                time.sleep(float(self.words.get("saving", 0)))
                self.save(step)
                say("stopped", step=step)
                return 130
            self.take(step + 1)
        say("point", step=self.steps, epoch=1, split="test", loss=0.5, top1=0.75, lr=None)
        if "capsule" in self.words:
            (self.out / "final.safetensors").write_bytes(b"c" * int(self.words["capsule"]))
        if "findings" in self.words:
            say("analysed", step=self.steps, findings=FINDINGS)
        self.say_finished()
        return 0

    def take(self, step: int) -> None:
        time.sleep(float(self.words.get("pause", 0)))
        self.say_point(step)
        say("progress", step=step, total_steps=self.steps, images_per_s=9, elapsed_s=1, eta_s=2)
        if step % CHECKPOINT_EVERY == 0:
            self.save(step)

    def maybe_die(self, step: int) -> None:
        if step == int(self.words.get("hang", -1)):
            time.sleep(600)
        for word, number in (("kill", signal.SIGKILL), ("segfault", signal.SIGSEGV)):
            if step == int(self.words.get(word, -1)):
                print(f"about to die at step {step}", file=sys.stderr, flush=True)
                os.kill(os.getpid(), number)

    def save(self, step: int) -> None:
        content = f"checkpoint {step}".encode() * int(self.words.get("checkpoint", 1))
        (self.checkpoints / f".{step}").write_bytes(content)
        (self.checkpoints / f".{step}").replace(self.checkpoints / str(step))
        digest = hashlib.sha256(content).hexdigest()
        say("checkpointed", step=step, file=str(step), sha256=digest, size_bytes=len(content))

    def say_started(self, resumed_from: int | None) -> None:
        fields = {"attempt": self.attempt, "resumed_from": resumed_from, "threads": self.threads, "device": "cpu"}
        fields |= {"total_steps": self.steps, "steps_per_epoch": self.steps, "train_examples": 9, "test_examples": 9}
        say("started", spec_digest="0" * 64, counts=COUNTS, layers=[], torch="0", **fields)

    def say_point(self, step: int) -> None:
        say("point", step=step, epoch=step / self.steps, split="train", loss=1 / (step + 1), top1=0.5, lr=0.1)

    def say_finished(self) -> None:
        values = {"top1": 0.75, "loss": 0.5, "train_top1": 0.5, "train_loss": 0.5, "disabled": 0.1, "seconds": 2.5}
        say("finished", step=self.steps, epoch=1, trainable=1, digest="0" * 64, **values)


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("spec", "out", "events", "attempt", "threads", "device"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--lifeline", action="store_true")
    parser.add_argument("--lease", type=float)
    arguments = parser.parse_args()
    if arguments.lifeline:
        die_with_parent(arguments.lease)
    name = json.loads(Path(arguments.spec).read_text())["name"] or ""
    words = dict((*word.split("="), "")[:2] for word in name.split())
    if "exit2" in words:
        print("some noise\nerror: epochs must be 1..400, got 0", file=sys.stderr)
        return 2
    training = FakeTraining(arguments, words)
    training.prepare()
    time.sleep(float(words.get("importing", 0)))
    if "nodata" in words:
        say("failed", step=0, kind="data_unavailable", message="Digits are not there.")
        return 1
    return training.run()


if __name__ == "__main__":
    sys.exit(main())
