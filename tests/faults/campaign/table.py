"""The figures of faults.json as a table: `.venv/bin/python -m tests.faults.campaign.table faults.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def line(row: dict[str, Any]) -> str:
    figures = ", ".join(f"{name} {value}" for name, value in row["figures"].items())
    told = "; ".join([f"**{len(row['wrong'])} wrong**: {row['wrong'][0]}"] if row["wrong"] else ["nothing wrong"])
    cells = row["fault"], row["trainer"], row["database"], row["n"], row["seed"], f"{told}; {figures}"
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def main() -> None:
    print("| fault | trainer | database | n | seed | result |\n|---|---|---|---|---|---|")
    for row in json.loads(Path(sys.argv[1]).read_text()):
        print(line(row))


if __name__ == "__main__":
    main()
