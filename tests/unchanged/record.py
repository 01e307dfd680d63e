"""Record what the program does, seen from outside, so that two checkouts can be compared.

    python -m tests.unchanged.record write OUT.json [--checkout DIR]   record a checkout (default: this one)
    python -m tests.unchanged.record compare A.json B.json             what differs; exit code 1 if anything does

A record has the OpenAPI document, the counts of every registered architecture under every registered policy, the
answers of the served addresses, and some short runs with the bytes of their capsules. It uses nothing but the command
line and HTTP, so it fits any layout of the code. Runs are comparable on one machine only; the rest on every machine,
and `tests/unchanged/test_unchanged.py` holds it to `recorded.json`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RECORDED = Path(__file__).with_name("recorded.json")
READY_WITHIN_S = 90.0
PAGES = (
    *("/", "/train", "/run", "/runs", "/compare", "/surgery", "/tasks", "/paper", "/about"),
    *("/nowhere", "/run/nowhere", "/runs/"),
)
FILES = (
    "/static/site.css",
    "/static/favicon.svg",
    "/static/plotly.min.js",
    "/static/nothing.js",
    "/static/../README.md",
    "/api/docs",
    "/api/nowhere",
    "/api/runs/",
    "/config",
    "/gradio_api/info",
    "/gradio_api/upload",
    "/openapi.json",
    "/docs",
    "/metrics",
)
COMMON = "--dataset digits --epochs 1 --train-examples 256 --test-examples 64 --threads 1 --set batch_size=64"
RUNS: dict[str, str] = {
    "batchnorm": "--architecture resnet-14 --policy batchnorm",
    "batchnorm, fp32": "--architecture resnet-14 --policy batchnorm --set precision=fp32",
    "batchnorm, lean": "--architecture resnet-14 --policy batchnorm --set lean=true",
    "batchnorm, second replicate": "--architecture resnet-14 --policy batchnorm --replicate 1",
    "all": "--architecture resnet-14 --policy all",
    "output": "--architecture resnet-14 --policy output",
    "batchnorm+output+shortcut": "--architecture resnet-14 --policy batchnorm+output+shortcut",
    "random-2": "--architecture resnet-14 --policy random-2",
    "random-2-layer": "--architecture resnet-14 --policy random-2-layer",
    "supermask": "--architecture resnet-14 --policy supermask",
    "supermask-30+batchnorm": "--architecture resnet-14 --policy supermask-30+batchnorm",
    "batchnorm-stage-2": "--architecture resnet-14 --policy batchnorm-stage-2",
    "bias, binary weights": "--architecture resnet-14 --policy bias --set init.weights=binary",
    "sparse weights": "--architecture resnet-14 --policy batchnorm --set init.weights=sparse-3",
    "none": "--architecture resnet-14 --policy none",
    "wide": "--architecture wrn-14-2 --policy batchnorm",
    "group norm": "--architecture resnet-14 --policy batchnorm --set norm.kind=group",
}
RESUMED = "--architecture resnet-14 --policy batchnorm --set epochs=3"
TIMED = ("train_seconds", "images_per_s", "elapsed_s", "peak_bytes", "seconds", "version")
"""What a capsule says that another run of the same spec says otherwise."""


@contextmanager
def served(checkout: Path) -> Iterator[str]:
    """The address of a server of `checkout` without a worker, on an empty data folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as data:
        env = {name: value for name, value in os.environ.items() if not name.startswith("ONLYBN_")}
        env |= {"ONLYBN_DATA": data, "ONLYBN_PORT": str(port)}
        env |= {"ONLYBN_EMBEDDED_WORKER": "false", "ONLYBN_EXAMPLES": "false"}
        process = subprocess.Popen(
            [sys.executable, "-m", "app"], cwd=checkout, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        url = f"http://127.0.0.1:{port}"
        try:
            until = time.monotonic() + READY_WITHIN_S
            while _ask(url, "GET", "/healthz")["status"] is None:
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"the server of {checkout} does not answer")
                time.sleep(0.2)
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def _ask(url: str, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
    """Status, kind of content and text of an answer; the status is None where nobody answers."""
    request = urllib.request.Request(url + path, data=body, method=method)
    if body is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, headers, text = answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            status, headers, text = error.code, error.headers, error.read()
    except OSError:
        return {"status": None, "kind": "", "text": b""}
    return {"status": status, "kind": headers.get_content_type(), "text": text}


def web(checkout: Path) -> dict[str, Any]:
    """What the server of `checkout` describes, counts and answers."""
    with served(checkout) as url:
        openapi = json.loads(_ask(url, "GET", "/api/openapi.json")["text"])
        options = json.loads(_ask(url, "GET", "/api/options")["text"])
        del options["datasets"]  # they say which files this machine has
        return {
            "openapi": openapi,
            "options": options,
            "counts": _counts(url, options),
            "addresses": _addresses(url, openapi),
        }


def _counts(url: str, options: dict[str, Any]) -> dict[str, Any]:
    """`architecture / policy / data set`: what it has and trains. `python -m core count` gives the same numbers."""
    found = {}
    names = [
        f"{family['name']}-{'14-' if family['name'] == 'wrn' else ''}{number}"
        for family in options["families"]
        for number in family["featured"]
    ]
    for architecture in names:
        for policy in (policy["name"] for policy in options["policies"]):
            query = urllib.parse.urlencode({"architecture": architecture, "policy": policy, "dataset": "cifar-10"})
            said = json.loads(_ask(url, "GET", f"/api/count?{query}")["text"])
            counts = said.get("counts") or {"refused": said["detail"]}
            found[f"{architecture} / {policy}"] = ", ".join(f"{value} {name}" for name, value in counts.items())
    return found


def _addresses(url: str, openapi: dict[str, Any]) -> dict[str, str]:
    """For each method and path: the status, the kind of content, and of a refusal its words."""
    asked = [("GET", path) for path in (*PAGES, *FILES)]
    for path, methods in openapi["paths"].items():
        made = path.replace("{run_id}", "0123456789abcdef").replace("{", "").replace("}", "")
        asked += [(method.upper(), made) for method in methods if method in ("get", "post", "delete", "put", "patch")]
    found = {}
    for method, path in asked:
        said = _ask(url, method, path, b"{}" if method in ("POST", "PUT", "PATCH") else None)
        words = said["text"].decode()[:400] if said["status"] >= 400 and said["kind"] == "application/json" else ""
        found[f"{method} {path}"] = f"{said['status']} {said['kind']} {words}".strip()
    return found


def runs(checkout: Path) -> dict[str, Any]:
    """For each of `RUNS` and one that is stopped and resumed: what its capsule holds."""
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for name, words in RUNS.items():
            out = Path(folder) / "run"
            subprocess.run(_command(f"{COMMON} {words}", out), cwd=checkout, check=True, capture_output=True)
            found[name] = _capsule(out)
            shutil.rmtree(out)
        return {**found, "resumed": _resumed(checkout, Path(folder) / "resumed")}


def _resumed(checkout: Path, out: Path) -> dict[str, Any]:
    """A run that is stopped at its second test, and goes on."""
    command = _command(f"{COMMON} {RESUMED}", out)
    process = subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    tests = 0
    for line in process.stdout:
        tests += '"split":"test"' in line
        if tests == 2:
            process.send_signal(signal.SIGTERM)
            break
    process.communicate()
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    return _capsule(out)


def _command(words: str, out: Path) -> list[str]:
    return [sys.executable, "-m", "core", "train", *words.split(), "--out", str(out), "--events", "-"]


def _capsule(out: Path) -> dict[str, Any]:
    """What the capsule of a run says, without what is timed, and a digest of its tensors' bytes."""
    content = (out / "final.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    told = {key: json.loads(value) if value[:1] in "{[" else value for key, value in header.pop("__metadata__").items()}
    return {
        "tensors": header,
        "sha256": hashlib.sha256(content[8 + length :]).hexdigest(),
        "told": _untimed(told),
    }


def _untimed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _untimed(inner) for key, inner in value.items() if key not in TIMED}
    return value


def differences(a: Any, b: Any, where: str = "") -> Iterator[str]:
    """Each place where `a` and `b` differ, a line each."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted({*a, *b}):
            place = f"{where}/{key}"
            if key not in a or key not in b:
                yield f"{place}: {'only before' if key in a else 'only now'}"
            else:
                yield from differences(a[key], b[key], place)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (before, now) in enumerate(zip(a, b, strict=True)):
            yield from differences(before, now, f"{where}/{i}")
    elif a != b:
        yield f"{where}: {_short(a)} -> {_short(b)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:297]}..."


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.unchanged.record", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("write")
    write.add_argument("out", type=Path)
    write.add_argument("--checkout", type=Path, default=ROOT)
    write.add_argument("--only", choices=["web", "runs"], help="record one half")
    compare = commands.add_parser("compare")
    compare.add_argument("before", type=Path)
    compare.add_argument("now", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "compare":
        found = list(differences(*(json.loads(path.read_text()) for path in (arguments.before, arguments.now))))
        print("\n".join(found) or "nothing differs")
        return 1 if found else 0
    made: dict[str, Any] = {}
    if arguments.only != "runs":
        made |= web(arguments.checkout.resolve())
    if arguments.only != "web":
        made["runs"] = runs(arguments.checkout.resolve())
    arguments.out.write_text(json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
