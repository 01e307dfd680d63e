"""The questions as a table, in the order of the page: what the paper claims, what we run at each scale, what decides.

Each is a file beside this one, whose number is its place on the page; it is read when somebody asks for it first
(words.py). Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path

from core.catalog.registry import Registry
from core.studies.asked.plot import plot_of, sentence_of
from core.studies.asked.words import axes
from core.studies.catalog.words import OURS, name_of, read
from core.studies.contrasts import criterion_of
from core.studies.named import NamedStudy
from core.studies.spec import Scale, StudySpec

FOLDER = Path(__file__).parent


class QuestionFiles(Mapping[str, NamedStudy]):
    """The questions in the files of a folder, by name, each read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, NamedStudy] = {}

    @cached_property
    def _paths(self) -> dict[str, Path]:
        return {name_of(path): path for path in sorted(self._folder.glob("*.yaml"))}

    def __getitem__(self, name: str) -> NamedStudy:
        if name not in self._read:
            self._read[name] = read(self._paths[name])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, name: object) -> bool:
        return name in self._paths


class Catalog(Registry[NamedStudy]):
    """The table of the questions in `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__("study", ())
        self._entries = QuestionFiles(folder)


STUDIES = Catalog(FOLDER)


@cache
def study_spec(name: str, scale: Scale) -> StudySpec:
    """Named study `name` at `scale`. Raises UnknownName."""
    grid = STUDIES[name].grids[scale]
    return StudySpec(study=name, scale=scale, base=dict(grid.base), axes=axes(grid.axes), replicates=grid.replicates)


def named_of(study: StudySpec) -> NamedStudy:
    """What `study` asks: a question of the table, or the one of somebody's own that it carries. Raises UnknownName."""
    asked = study.asked
    if asked is None:
        return STUDIES[study.study]
    return NamedStudy(
        study.study,
        asked.title,
        asked.question,
        sentence_of(asked.claim),
        OURS,
        plot_of(study),
        criterion_of(asked.claim, own=True),
        {},
        here=asked.claim.here if asked.claim else "",
        own=True,
        asks=asked.claim,
    )
