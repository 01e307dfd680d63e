"""Pieces of chunks: they do not overlap, have the memory format that was asked for, and free their chunk."""

from __future__ import annotations

import pytest
import torch

from core.engine.arena import ALIGNMENT, CHUNK, HEAP, Arena, Heap
from core.machine.memory import used_bytes


@pytest.mark.parametrize("heap", [HEAP, Arena()])
def test_pieces_do_not_overlap(heap: Heap) -> None:
    pieces = [heap.empty(6, 16), heap.empty(3, dtype=torch.int8), heap.empty(5, dtype=torch.int16), heap.empty(2, 3, 4)]
    for number, piece in enumerate(pieces):
        piece.fill_(number)
    for number, piece in enumerate(pieces):
        assert (piece == number).all() and piece.is_contiguous() and piece.data_ptr() % ALIGNMENT == 0


@pytest.mark.parametrize("heap", [HEAP, Arena()])
def test_images_are_channels_last(heap: Heap) -> None:
    images = heap.images(torch.Size([2, 16, 3, 5]), torch.int8)
    assert images.shape == (2, 16, 3, 5) and images.dtype == torch.int8
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_pieces_share_a_chunk_until_it_is_full() -> None:
    arena = Arena()
    first, second = (arena.empty(CHUNK // 2, dtype=torch.int8) for _ in range(2))
    third = arena.empty(1)
    assert first.untyped_storage().data_ptr() == second.untyped_storage().data_ptr()
    assert third.untyped_storage().data_ptr() != first.untyped_storage().data_ptr()


def test_what_is_larger_than_a_chunk_has_memory_of_its_own() -> None:
    arena = Arena()
    small, large, other = arena.empty(4), arena.empty(CHUNK + 1, dtype=torch.int8), arena.empty(4)
    assert large.untyped_storage().nbytes() == CHUNK + 1
    assert small.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def test_a_chunk_is_freed_with_its_last_piece() -> None:
    arena = Arena()
    pieces = [arena.empty(CHUNK // 2, dtype=torch.int8).fill_(1) for _ in range(2)]
    arena.empty(1)  # the arena itself has gone on to the next
    taken, _ = used_bytes()
    del pieces[0]
    held, _ = used_bytes()
    pieces.clear()
    left, _ = used_bytes()
    if taken is None or held is None or left is None:
        pytest.skip("this system does not say how much memory a process has")
    assert taken - held < CHUNK / 4 and held - left > CHUNK / 2
