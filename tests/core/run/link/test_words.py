"""The line of words in a link, and that what it leaves out is what a spec leaves out."""

from __future__ import annotations

from core.run.link.words import OMITTED, LinkFacts, read, written
from core.run.spec import RunSpec
from tests.core.run.link.made import spec


def test_what_a_line_leaves_out_are_still_the_defaults() -> None:
    """Should a default of RunSpec change, old links keep OMITTED: then this test names the fields that differ."""
    fields = spec().model_dump(mode="json", exclude={"architecture", "policy", "dataset", "epochs", "seeds"})
    flat = {
        (key if part is None else f"{key}.{part}"): value
        for key, inner in fields.items()
        for part, value in (inner.items() if isinstance(inner, dict) else [(None, inner)])
    }
    assert {**flat, "adapt": None} == dict(OMITTED)


def test_a_line_reads_as_docs_say() -> None:
    run = spec(seeds={"init": 7}, recipe={"lr": 0.05, "lr_drops": (0.25, 0.5)}, norm={"kind": "group", "groups": 4})
    line = "resnet-8 batchnorm digits edited=3 epochs=3 norm.groups=4 norm.kind=group recipe.lr=0.05"
    assert written(run, LinkFacts(edited=3)) == f"{line} recipe.lr_drops=[0.25,0.5] seeds.init=7"
    assert read(f"{line} recipe.lr_drops=[0.25,0.5] seeds.init=7") == (run, LinkFacts(edited=3))


def test_data_that_is_a_copy_or_a_folder_keeps_its_fingerprint() -> None:
    copied = {"kind": "JPEG", "fingerprint": "1234567890123456"}  # all digits: still a text
    run = spec(dataset="cifar-10", copy_of_data=copied)
    assert 'copy_of_data.fingerprint="1234567890123456"' in written(run, LinkFacts())
    assert read(written(run, LinkFacts()))[0] == run
    contents = {"classes": 10, "train": 100, "test": 50, "size": 64, "fingerprint": "a" * 16}
    folder = spec(dataset="folder", contents=contents)
    assert read(written(folder, LinkFacts()))[0] == folder


def test_the_name_and_what_comes_after_the_training_stay_behind() -> None:
    run = spec(name="Mine", adapt={})
    found, _ = read(written(run, LinkFacts()))
    assert found == RunSpec.model_validate({**run.model_dump(), "name": None, "adapt": None})
