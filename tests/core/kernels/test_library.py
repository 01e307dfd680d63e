"""Compiling the kernels: once, whole or not at all, and with the compiler's own words where it fails."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.kernels import library
from core.kernels.library import FOLDER, HEADERS, SOURCES, Uncompiled, shared_library


def test_a_compiler_that_fails_is_told_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "cc"
    told = 'echo "In file included from here" >&2\necho "kernels.c:1: error: no such thing" >&2'
    broken.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo 1.0 && exit 0\n{told}\nexit 1\n')
    broken.chmod(0o755)
    monkeypatch.setenv("CC", str(broken))
    with pytest.raises(Uncompiled, match=r"the C compiler failed: kernels\.c:1: error: no such thing"):
        shared_library()
    monkeypatch.setenv("CC", str(tmp_path / "missing"))
    with pytest.raises(Uncompiled, match="no C compiler"):
        shared_library()
    monkeypatch.setenv("CC", "'cc")
    with pytest.raises(Uncompiled, match="CC is not a command: No closing quotation"):
        shared_library()
    broken.write_text('#!/bin/sh\n[ "$1" = --version ] && echo 2.0 && exit 0\nsleep 60\n')
    monkeypatch.setenv("CC", str(broken))
    monkeypatch.setattr(library, "COMPILE_TIMEOUT_S", 1)
    with pytest.raises(Uncompiled, match=r"took longer than 1 seconds"):
        shared_library()


@pytest.mark.server
def test_what_was_compiled_once_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = shared_library()
    assert path.parent == tmp_path / "cache" / "onlybn"
    made_at = path.stat().st_mtime_ns
    assert shared_library() == path and path.stat().st_mtime_ns == made_at
    assert {path.name for path in path.parent.iterdir()} == {path.name, "kernels.lock"}, "no drafts are left"


@pytest.mark.server
def test_of_several_that_begin_at_once_one_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    calls: list[list[str]] = []
    run = library._run

    def counted(*commands: list[str]) -> str:
        calls.extend(command for command in commands if "-c" in command)
        return run(*commands)

    monkeypatch.setattr(library, "_run", counted)
    with ThreadPoolExecutor() as pool:
        libraries = set(pool.map(lambda _: shared_library(), range(3)))
    assert len(libraries) == 1 and len(calls) == len(SOURCES)


def test_it_needs_no_torch() -> None:
    told = "import sys, core.kernels.library; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout == "False\n"


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert library.is_kept()
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(library, "_compile", lambda compiler, path: path.touch())
    assert not library.is_kept()
    path = shared_library()
    assert path.exists() and tmp_path not in path.parents
    path.unlink()


def test_every_file_in_c_is_known_to_what_compiles_it() -> None:
    assert {file.name for file in FOLDER.glob("*.[ch]")} == {*SOURCES, *HEADERS}
