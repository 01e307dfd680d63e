"""The folder of a run whose files are damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.run.events import Measured, Point
from core.run.journal import Journal, OtherRun
from core.run.spec import RunSpec

SPEC = RunSpec.model_validate({"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 1})


def measured(step: int) -> Measured:
    return Measured(point=Point(step, step / 10, "train", 1.0, 0.5, 0.9, 0.1))


@pytest.mark.parametrize("damage", [b"\xff\xfe\x00", b"not an event", b'{"event": "point"', b"\r", b""])
def test_a_damaged_line_costs_that_line_alone(tmp_path: Path, damage: bytes) -> None:
    journal = Journal(tmp_path, SPEC)
    journal.open()
    for step in (1, 2):
        journal.append(measured(step))
    with journal.path.open("ab") as file:
        file.write(damage + b"\n")
    journal.append(measured(3))
    with journal.path.open("ab") as file:
        file.write(b'{"event": "poi')  # cut short by a kill
    assert [event.step for event in journal.events()] == [1, 2, 3]
    assert [event.step for event in journal.rewind(2)] == [1, 2]
    assert [event.step for event in journal.events()] == [1, 2]


def test_an_empty_spec_is_written_again_and_a_foreign_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.touch()
    Journal(tmp_path, SPEC).open()
    assert RunSpec.model_validate_json(path.read_bytes()) == SPEC
    path.write_text("somebody's notes")
    with pytest.raises(OtherRun):
        Journal(tmp_path, SPEC).open()
    assert path.read_text() == "somebody's notes"
