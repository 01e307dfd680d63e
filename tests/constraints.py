"""The versions of all packages that this environment has and the requirements need, for constraints.txt.

`make constraints` installs the newest ones that the requirements allow and writes them down. PyTorch differs from
platform to platform, so it and the CUDA packages that come with it have no exact version.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
FILE = ROOT / "constraints.txt"
FREE = ("torch", "triton", "nvidia-", "cuda-")
"""What the names of the packages without an exact version begin with."""
PYTHON = (3, 11)
"""The oldest that the program runs on: what is installed there can be had on newer ones, too."""
HEAD = "# The versions that the tests passed with; `make constraints` renews them.\n"


def requirements() -> Iterator[Requirement]:
    """What the program and its tests ask for."""
    for file in (ROOT / "requirements.txt", ROOT / "tests" / "requirements.txt"):
        for line in file.read_text().splitlines():
            if line.strip() and not line.startswith(("#", "-r")):
                yield Requirement(line)


def needed() -> dict[str, str]:
    """The installed version of each package that one of the requirements needs, by name."""
    versions: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    todo = [(one, extra) for one in requirements() for extra in ("", *one.extras)]
    while todo:
        requirement, extra = todo.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            package = distribution(name)
        except PackageNotFoundError:  # another platform needs it
            continue
        versions[name] = package.version
        for text in package.requires or ():
            further = Requirement(text)
            if further.marker is None or further.marker.evaluate({"extra": extra}):
                todo += [(further, more) for more in ("", *further.extras)]
    return versions


def main() -> None:
    if sys.version_info[:2] != PYTHON:
        sys.exit("error: constraints.txt is written with Python {}.{}, so that every Python can use it".format(*PYTHON))
    pins = sorted(f"{name}=={version}" for name, version in needed().items() if not name.startswith(FREE))
    FILE.write_text(HEAD + "".join(f"{pin}\n" for pin in pins))
    print(f"{len(pins)} versions are in {FILE.name}.")


if __name__ == "__main__":
    main()
