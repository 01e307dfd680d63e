"""What the attacks of requests.py send, and what the tests of tests/app/web refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SPEC: dict[str, Any] = {
    "architecture": "resnet-14",
    "policy": "batchnorm",
    "dataset": "digits",
    "epochs": 2,
    "replicate": 0,
}
RUN = "NoSuchRun12345"
JSON_ROUTES = (
    "/api/runs",
    "/api/preview",
    "/api/spec",
    "/api/feed",
    "/api/studies",
    "/api/runs/changes",
    "/api/runs/order",
    f"/api/runs/{RUN}/evaluations",
)
NESTED = b'{"a":' * 1000 + b"1" + b"}" * 1000
ODD_TEXTS = [
    *(b'a: !!int ""', b'a: !!float ""', b"a: !!bool x", b"a: !!timestamp x", b"a: !!int _", b"a: !!python/name:os.x y"),
    *(b"a: 0b_", b"a: 0x_", b"a: 2001-13-99", b"a: 2001-01-01 00:00:00 +99:99", b"a: =", b"<<: x"),
    b"a: " + b"1:" * 400 + b"1.5",
    b"a: " + b"9" * 6000,
    b"a: 0x" + b"f" * 2000,
    b"- " * 3000,
    b"[" * 3000,
    b"? " * 3000,
    b"\xff\xfe",
    b"a: \x00",
    b"%YAML 9.9\n---\na: b",
    b"a: !<tag:yaml.org,2002:binary> x",
    b"a: &x [*x]",
]
ODD_ADDRESSES = [
    "/api/count?architecture=resnet-14&policy=batchnorm&epochs=18446744073709551616",
    "/api/count?architecture=resnet-14&policy=batchnorm&epochs=" + "9" * 5000,
    "/api/count?architecture=" + "%D9%A1" * 20 + "&policy=batchnorm",
    "/static/" + "a" * 5000,
    "/static/" + "a" * 240,
    "/static/" + "%61" * 80,
    "/assets/" + "a/" * 110,
    "/" + "a" * 240,
    "/static/%00",
    "/%0d%0a",
    "/run%00",
    "/static/%FF%FE",
    *(f"/api/runs?{field}=%00" for field in ("text", "policy", "architecture", "dataset")),
    *(f"/api/{route}?text=%00" for route in ("compare", "compare/shell", "card.png")),
    "/api/compare?text=%01",
    "/api/compare?smooth=" + "9" * 5000,
    "/api/compare?" + "&".join(["runs=a"] * 500),
    "/api/runs?offset=99999999999999999999",
    "/api/runs?offset=2147483648&limit=200",
    f"/api/runs/{RUN}/snapshots/99999999999999999999",
    f"/api/runs/{RUN}/snapshots/2147483648",
    "/runs?text=%00",
    "/compare?text=%00",
    "/api/card.png?text=%ED%A0%80",
    "/api/runs?text=" + "a" * 30_000,
]


def flat_text(size: int) -> bytes:
    """YAML of `size` bytes that takes long to parse."""
    return b"a: [" + b"a," * ((size - 6) // 2) + b"a]"


def many_errors() -> bytes:
    """A spec with 60,000 errors in 240 KB."""
    return json.dumps({**SPEC, "recipe": {"lr_drops": [2] * 60_000}, **{f"x{i}": 1 for i in range(2000)}}).encode()


def many_tensors(count: int, name: str = "t") -> bytes:
    """A valid safetensors file of `count` tensors of one float."""
    rows = {f"{name}{i}": {"dtype": "F32", "shape": [1], "data_offsets": [4 * i, 4 * i + 4]} for i in range(count)}
    header = json.dumps(rows, separators=(",", ":")).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4 * count)


def _contents(classes: int, size: int, architecture: str, train: int = 1000, epochs: int = 1) -> bytes:
    made_up = {"classes": classes, "train": train, "test": 1000, "size": size, "fingerprint": f"{size:016x}"}
    spec = {**SPEC, "architecture": architecture, "dataset": "folder", "epochs": epochs, "contents": made_up}
    return json.dumps({**spec, "recipe": {"batch_size": 2}}).encode()


CONTENTS = [
    *(_contents(100_000, 8 + i, "resnet-14") for i in range(70)),
    _contents(2, 32, "resnet-14", train=10**9, epochs=400),
]
