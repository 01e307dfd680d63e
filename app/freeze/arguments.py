"""The options of `python -m app freeze`. Imports nothing that takes time."""

from __future__ import annotations

import argparse
from pathlib import Path

KEYS = ("text", "policy", "architecture", "dataset", "tag", "question")
GRAMMAR = (
    "only some of the finished runs: KEY=VALUE, as the address of the page Runs has it after the ?. "
    f"KEY is one of {', '.join(KEYS)}. Commas between values mean any of them. The option may be repeated: a run must "
    "pass all filters. Example: --filter policy=batchnorm,random-2 --filter dataset=digits"
)


def freeze_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app freeze",
        description="Write all finished runs, their comparisons and studies as a static site for any file server, with "
        "their charts and files. The database is that of the settings of `python -m app`.",
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FOLDER", help="a new or empty folder, or a frozen site to replace"
    )
    parser.add_argument("--filter", action="append", default=[], metavar="KEY=VALUE", help=GRAMMAR)
    return parser
