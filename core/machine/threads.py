"""How the threads of torch's operators wait for each other. Imports no torch."""

from __future__ import annotations

import os

SPIN = "5000"
"""How often a waiting thread spins; read when torch loads OpenMP. Threads that spin long (libgomp's default) make a
training that shares its cores with a browser or a second training ten times slower; threads that never spin make one
that is alone half as fast. A short spin is good for both (tests/benchmarks/waiting.py)."""


def spin_briefly() -> None:
    """Let them spin this long, unless the environment says otherwise. Call it before torch is imported."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN)
