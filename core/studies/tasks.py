"""The tasks of a study as packs: what each keeps, and which runs share their random network. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.machine.files import CAPSULE
from core.run.cost import counts
from core.run.layout import kept_bytes
from core.run.pack import pack, packed, swappable
from core.studies.folder import StudyFolder
from core.studies.records import Record
from core.studies.results import in_words
from core.studies.spec import Member, StudySpec

FIELD = "task"


@dataclass(frozen=True)
class TaskPack:
    """The pack of those runs of a study that differ in the task alone: what they share in words, and its bytes."""

    words: str
    name: str
    content: bytes


def kilobytes(study: StudySpec, records: Sequence[Record]) -> str:
    """What one task keeps beside the random network, for each policy of the study that a pack can swap."""
    specs = {member.spec.policy: member.spec for member in study.members if swappable(member.spec)}
    if not specs:
        return ""
    first = next(iter(specs.values()))
    each = "; ".join(f"{spec.selection.title}: {kept_bytes(spec) / 1000:.1f} kB" for spec in specs.values())
    whole = 4 * counts(first.plan, first.trains).total / 1000
    return f"What a task keeps of its own, statistics included: {each}. The whole network has {whole:,.1f} kB."


def packs(folder: StudyFolder) -> Iterator[TaskPack]:
    """A pack for each setting and replicate of which all tasks are there; none where something else trained."""
    if all(axis.field != FIELD for axis in folder.study.axes):
        return
    groups: dict[tuple[object, ...], list[Member]] = {}
    for member in folder.study.members:
        if swappable(member.spec):
            rest = tuple(value for field, value in member.key.items() if field != FIELD)
            groups.setdefault((rest, member.replicate), []).append(member)
    for members in groups.values():
        files = [found / CAPSULE for member in members if (found := folder.finished_in(member))]
        if 1 < len(members) == len(files) and all(file.is_file() for file in files):
            yield _pack(members, files)


def _pack(members: Sequence[Member], files: Sequence[Path]) -> TaskPack:
    rest = {field: value for field, value in members[0].key.items() if field != FIELD}
    words = f"{in_words(rest)}, replicate {members[0].replicate}"
    content = pack([packed(str(file), file.read_bytes()) for file in files])
    return TaskPack(words, f"{'-'.join(map(str, rest.values()))}-{members[0].replicate}.pack.safetensors", content)
