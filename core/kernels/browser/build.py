"""Compiles the kernels and the draw to WebAssembly for browsers: `make wasm`.

It needs the compiler of PyPI's package `ziglang`, of exactly the version that tests/requirements.txt names, so that
every machine makes the same bytes. The binaries are committed, packed by gzip: without a change in C, nobody needs the
compiler.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
KERNELS = HERE.parent
OUT = HERE.parents[2] / "static" / "engine" / "wasm"
SHARED = (
    *(KERNELS / name for name in ("winograd.c", "direct.c", "convolution.c", "norm_kernels.c")),
    HERE / "weights.c",
)
DRAW = HERE / "draw.c"
THREADS = HERE / "threads.c"
FUSED = ("-mrelaxed-simd", "-ffp-contract=fast")
PROCESSOR = "-mcpu=generic+atomics+bulk_memory"
PARALLEL = (PROCESSOR, "-fopenmp")
BINARIES: dict[str, tuple[str, ...]] = {
    "kernels": (),
    "kernels-relaxed": FUSED,
    "kernels-threads": PARALLEL,
    "kernels-relaxed-threads": (*PARALLEL, *FUSED),
}
"""The files, and the flags of each: for browsers with fused multiply-add, for pages that may share memory."""
FLAGS = (
    *("--target=wasm32-wasi", "-msimd128", "-O3", "-fno-sanitize=all"),
    *("-Wno-unknown-pragmas", "-Wno-psabi", "-Wno-pass-failed"),
    f"-ffile-prefix-map={KERNELS}/=",  # OpenMP's loops keep the name of their file, which must be the same everywhere
)
LINK = ("-mexec-model=reactor", "-Wl,--strip-all")
MEMORY_BYTES = 65_535 * 65_536
"""The most that a page's threads can share: what 32 bits address, but for the last page."""
LINK_PARALLEL = (
    *("-Wl,--shared-memory", "-Wl,--import-memory", "-Wl,--export-memory"),
    f"-Wl,--max-memory={MEMORY_BYTES}",
)
EXPORTS = (
    *("malloc", "free"),
    *("onlybn_winograd", "onlybn_winograd_weights", "onlybn_direct", "onlybn_direct_weights"),
    *("onlybn_apply", "onlybn_sums", "onlybn_input_gradient", "onlybn_weight_gradient"),
    *("onlybn_sha256", "onlybn_stream", "onlybn_draw_uniform", "onlybn_draw_normal", "onlybn_draw_binary"),
    *("onlybn_draw_coins", "onlybn_draw_below", "onlybn_draw_ranks", "onlybn_draw_sparse", "onlybn_draw_orthogonal"),
)
EXPORTS_PARALLEL = (
    *("onlybn_threads", "onlybn_help", "onlybn_fail"),
    *("__stack_pointer", "__tls_size", "__wasm_init_tls"),
)


def build(folder: Path) -> None:
    """Write BINARIES into `folder`. Raises subprocess.CalledProcessError."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as draft:
        for name, own in BINARIES.items():
            made = Path(draft) / f"{name}.wasm"
            _link(made, own)
            (folder / f"{made.name}.gz").write_bytes(gzip.compress(made.read_bytes(), 9, mtime=0))


def _link(made: Path, own: tuple[str, ...]) -> None:
    compiler = [sys.executable, "-m", "ziglang", "cc", *FLAGS]
    parallel = "-fopenmp" in own
    # The draw rounds every product and every sum, with fused multiply-add as without it.
    sources = [(source, own) for source in SHARED] + [(DRAW, (*own, "-ffp-contract=off"))]
    if parallel:
        sources.append((THREADS, own))
    objects = []
    for source, flags in sources:
        target = made.with_suffix(f".{source.stem}.o")
        subprocess.run([*compiler, *flags, "-c", str(source), "-o", str(target)], check=True)
        objects.append(str(target))
    exports = [f"-Wl,--export={function}" for function in (*EXPORTS, *(EXPORTS_PARALLEL if parallel else ()))]
    # The processor chooses the standard library. OpenMP's library is not asked for: THREADS takes its place.
    link = (*LINK, *((PROCESSOR, *LINK_PARALLEL) if parallel else ()))
    subprocess.run([*compiler, *link, *exports, *objects, "-o", str(made)], check=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
