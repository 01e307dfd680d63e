"""Batches of a data set that stays on disk: several processes open its images while the training runs."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from core.catalog.folder import Contents, Files, FolderUnusable, folder_of, listing
from core.data.augmentation import normalise
from core.data.decoding import Damaged, Images, Pixels, Task
from core.data.memory import DataUnavailable, subset
from core.data.waiting import WINDOW_S, Waiting
from core.draws.versions import Version, drawn
from core.machine.lifeline import die_with_starter
from core.machine.part import ALONE, Part
from core.run.spec import RunSpec

TEST_BATCH = 128
CHUNK = 32
"""A process opens this many images at a time, so that all of them work even on the first batch."""
AHEAD = 4
"""How many chunks a process may be ahead of the training."""
MAX_WORKERS = 64
USUAL_WORKERS = {"cpu": 4, "cuda": 16}
SHARED_MEMORY = "/dev/shm"
StartMethod = Literal["fork", "forkserver", "spawn"]


class StreamingBatches:
    """Batches of the images of a folder, which follow from the spec, the epoch and the files alone.

    `workers` processes open the images (0: this process does); unset: see `worker_count`.
    """

    def __init__(
        self,
        spec: RunSpec,
        device: torch.device,
        part: Part = ALONE,
        *,
        workers: int | None = None,
        start: StartMethod | None = None,
    ) -> None:
        self.spec, self.data, self.device, self.part = spec, spec.data, device, part
        self.train_files, self.test_files, self.root = _found(spec)
        self.train_rows = _first(len(self.train_files), spec.train_examples, spec.draw)
        self.test_rows = _first(len(self.test_files), spec.test_examples, spec.draw)
        self.test_images = len(self.test_rows)
        self.workers = worker_count(device, part) if workers is None else workers
        self.loader = Loader(Images(self.data.shape[1], self.data.flip), self.workers, device, start)
        self.waiting = Waiting(device)

    def train(self, epoch: int, first: int) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.from_numpy(drawn(self.spec.draw, self.spec.seeds.order, epoch).order(len(self.train_rows)))
        rows, size = self.train_rows[order], self.spec.recipe.batch_size
        augmented = self.spec.recipe.augmentation == "standard"
        self.waiting.begin()
        yield from self._stream(self.train_files, self._cut(rows, size, first), epoch if augmented else None)

    def test(self) -> Iterator[tuple[Tensor, Tensor]]:
        self.waiting.begin()
        yield from self._stream(self.test_files, self._cut(self.test_rows, TEST_BATCH * self.part.world), None)

    def warning(self) -> str | None:
        """What a person should know about the speed of the loading, once; None: nothing (more)."""
        share = self.waiting.too_long()
        return None if share is None else slow(share, self.workers)

    def _cut(self, rows: Tensor, size: int, first: int = 0) -> list[Tensor]:
        """This process's part of each batch of `size` from number `first` on."""
        return [
            rows[self.part.cut(begin, min(begin + size, len(rows)))] for begin in range(first * size, len(rows), size)
        ]

    def _stream(self, files: Files, batches: list[Tensor], epoch: int | None) -> Iterator[tuple[Tensor, Tensor]]:
        chunks = (self._tasks(files, rows, epoch) for batch in batches for rows in batch.split(CHUNK) if len(rows))
        arriving = self.loader.images(chunks)
        for rows in batches:
            with self.waiting:
                parts = [next(arriving) for _ in range(0, len(rows), CHUNK)]
            size = self.data.shape[1]
            images = torch.cat([part.to(self.device, non_blocking=True) for part in parts] or [_none(size)])
            labels = torch.tensor([files.labels[row] for row in rows.tolist()], dtype=torch.int64)
            yield normalise(images.to(self.device).permute(0, 3, 1, 2), self.data), labels.to(self.device)

    def _tasks(self, files: Files, rows: Tensor, epoch: int | None) -> list[Task]:
        draw, seed = self.spec.draw, self.spec.seeds.augmentation
        return [
            Task(f"{self.root}/{files.paths[row]}", None if epoch is None else (draw, seed, epoch, row))
            for row in rows.tolist()
        ]


class Loader:
    """Processes that open images, in the order of the requests. They start with the first request."""

    def __init__(self, images: Images, workers: int, device: torch.device, start: StartMethod | None = None) -> None:
        self._asked = _Asked()
        self._turn = 0
        chunk_bytes = CHUNK * images.size**2 * 3
        self._loader: DataLoader[Any] = _quietly(
            DataLoader,
            images,
            batch_sampler=self._asked,
            num_workers=workers,
            persistent_workers=workers > 0,
            prefetch_factor=AHEAD if workers else None,
            collate_fn=_shared if _is_room(workers * (AHEAD + 1) * chunk_bytes) else _plain,
            pin_memory=device.type == "cuda",
            worker_init_fn=_begin,
            generator=torch.Generator(),  # else it would draw from the training's generator
            multiprocessing_context=start if workers else None,
        )

    def images(self, chunks: Iterable[list[Task]]) -> Iterator[Tensor]:
        """The pixels of each chunk, (n, size, size, 3) uint8 on the CPU. Raises DataUnavailable.

        One request at a time: a new one ends the one before.
        """
        self._turn += 1
        turn, self._asked.chunks = self._turn, chunks
        for pixels in _quietly(iter, self._loader):
            self._check(turn)
            if isinstance(pixels, Damaged):
                raise DataUnavailable(
                    f"The image {pixels.path} cannot be read ({pixels.reason}). Replace or remove it and launch again."
                )
            yield torch.from_numpy(pixels) if isinstance(pixels, np.ndarray) else pixels
        self._check(turn)

    def _check(self, turn: int) -> None:
        if turn != self._turn:
            raise RuntimeError("a newer request replaced this request for images")


class _Asked:
    """The chunks that the loader hands to its processes next."""

    def __init__(self) -> None:
        self.chunks: Iterable[list[Task]] = ()

    def __iter__(self) -> Iterator[list[Task]]:
        return iter(self.chunks)


def _shared(pixels: Pixels | Damaged) -> Tensor | Damaged:
    """As a tensor: the pixels go to the training through shared memory."""
    return pixels if isinstance(pixels, Damaged) else torch.from_numpy(pixels)


def _plain(pixels: Pixels | Damaged) -> Pixels | Damaged:
    """As an array: the pixels go through a pipe, which is slower but needs no shared memory."""
    return pixels


def _is_room(needed_bytes: int) -> bool:
    """Whether shared memory has twice these bytes: a container may have 64 MB, and a process that finds none dies."""
    try:
        return shutil.disk_usage(SHARED_MEMORY).free >= 2 * needed_bytes
    except OSError:
        return sys.platform != "linux"


def _quietly(make: Any, *arguments: Any, **named: Any) -> Any:
    """Call `make` without the warnings that the processes are too many (the user chose their number) or are forked."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)
        warnings.filterwarnings("ignore", ".*use of fork", DeprecationWarning)
        return make(*arguments, **named)


def _none(size: int) -> Tensor:
    return torch.empty(0, size, size, 3, dtype=torch.uint8)


def _first(have: int, wanted: int | None, version: Version) -> Tensor:
    """The row numbers of `wanted` of `have` images, the same that `Split.first` chooses."""
    return torch.arange(have) if wanted is None or wanted == have else subset(have, wanted, version)


def _found(spec: RunSpec) -> tuple[Files, Files, str]:
    """The images that `spec` was made for, training and test, and their folder. Raises DataUnavailable."""
    try:
        folder = folder_of(spec.data)
        found = listing(spec.data, folder)
    except FolderUnusable as error:
        raise DataUnavailable(f"{error}.") from error
    assert spec.contents is not None, "the spec of a streamed data set must describe its folder"
    there = found.contents(spec.contents.size)
    if there != spec.contents:
        raise DataUnavailable(
            f"{spec.data.title}: the folder of {spec.data.variable} no longer has the images it had when this run was "
            f"created: {_summary(there)} now, {_summary(spec.contents)} then. Launch the run again to train on "
            "the images that are there now."
        )
    return found.train, found.test, str(folder)


def _summary(contents: Contents) -> str:
    return f"{contents.words} (fingerprint {contents.fingerprint})"


def worker_count(device: torch.device, part: Part = ALONE) -> int:
    """How many processes open images: ONLYBN_LOADER_WORKERS, or one less than this training has threads.

    At most 4 by default where the training itself needs the cores, 16 with a GPU. Raises DataUnavailable.
    """
    text = os.environ.get("ONLYBN_LOADER_WORKERS")
    if not text:
        usual = min(USUAL_WORKERS.get(device.type, 4), torch.get_num_threads() - 1)
        return max(1 if device.type == "cuda" else 0, usual)
    if not text.isascii() or not text.isdigit() or int(text) > MAX_WORKERS:
        raise DataUnavailable(f"ONLYBN_LOADER_WORKERS must be a whole number in 0..{MAX_WORKERS}, got {text!r}.")
    return int(text)


def slow(share: float, workers: int) -> str:
    """The sentence for a training that waits `share` of its time for its images."""
    who = f"{workers} processes open them" if workers > 1 else "1 process opens them"
    return (
        f"Loading is the bottleneck: over the last {WINDOW_S:.0f} seconds, training waited {share:.0%} of the time "
        f"for images ({who if workers else 'the trainer opens them itself'}). More processes "
        "(ONLYBN_LOADER_WORKERS) help if cores are idle; so do images stored at about the size at which they are used."
    )


def _begin(_number: int) -> None:
    """Set up a process: it ignores signals to the training, but must not outlive it.

    In a process group of its own, it does not get the signal that asks the trainer's group to stop: the trainer
    finishes its step and saves first, for which it may need images.
    """
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_starter()
