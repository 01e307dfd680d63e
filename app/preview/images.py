"""Whether the images of a run are on this server. Looks for names only, and opens no image."""

from __future__ import annotations

from pathlib import Path

from core.catalog.copies import copy_place
from core.catalog.datasets import DATASETS
from core.catalog.folder import FolderUnusable, contents_of
from core.run.spec import RunSpec


def data_is_here(dataset: str, data: Path) -> bool:
    """Whether the images of `dataset` are on this machine; if not, a run downloads them when it starts.

    `data` is the folder of ONLYBN_DATA. Damaged files are not detected here; the run reports them.
    """
    entry = DATASETS[dataset]
    if copy_place(entry):
        return True
    if entry.download is None:
        return entry.variable is None or entry.streamed or entry.given is not None
    places = [data / "datasets" / name for name in entry.download.kept_as]
    if entry.given:
        places += [entry.given / Path(name).name for name in entry.download.kept_as]
    return any(place.is_file() for place in places)


def changed_folder(spec: RunSpec) -> str | None:
    """Why a run on a folder of images would fail here: the folder is missing, or differs from that of `spec`."""
    if spec.contents is None:
        return None
    try:
        there = contents_of(spec.dataset)
    except FolderUnusable as error:
        return f"{error}. The run would fail."
    if there.model_copy(update={"size": spec.contents.size}) == spec.contents:
        return None
    return (
        f"{spec.data.title}: the folder on this server has {there.words} (fingerprint {there.fingerprint}); this run "
        f"is for {spec.contents.words} (fingerprint {spec.contents.fingerprint}) and would fail."
    )
