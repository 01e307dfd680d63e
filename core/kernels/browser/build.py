"""Compiles the kernels and the draw to WebAssembly for browsers: `make wasm`.

It needs the compiler of PyPI's package `ziglang`, of exactly the version that tests/requirements.txt names, so that
every machine makes the same bytes. The binaries are committed: without a change in C, nobody needs the compiler.
"""

from __future__ import annotations

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
BINARIES: dict[str, tuple[str, ...]] = {
    "kernels.wasm": (),
    "kernels-relaxed.wasm": ("-mrelaxed-simd", "-ffp-contract=fast"),
}
"""The files, and the flags of each; the second is for browsers with fused multiply-add."""
FLAGS = (
    *("--target=wasm32-wasi", "-msimd128", "-O3", "-fno-sanitize=all"),
    *("-Wno-unknown-pragmas", "-Wno-psabi", "-Wno-pass-failed"),
)
LINK = ("-mexec-model=reactor", "-Wl,--strip-all")
EXPORTS = (
    *("malloc", "free"),
    *("onlybn_winograd", "onlybn_winograd_weights", "onlybn_direct", "onlybn_direct_weights"),
    *("onlybn_apply", "onlybn_sums", "onlybn_input_gradient", "onlybn_weight_gradient"),
    *("onlybn_sha256", "onlybn_stream", "onlybn_draw_uniform", "onlybn_draw_normal", "onlybn_draw_binary"),
    *("onlybn_draw_coins", "onlybn_draw_below", "onlybn_draw_ranks", "onlybn_draw_sparse", "onlybn_draw_orthogonal"),
)


def build(folder: Path) -> None:
    """Write BINARIES into `folder`. Raises subprocess.CalledProcessError."""
    compiler = [sys.executable, "-m", "ziglang", "cc", *FLAGS]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as draft:
        made = Path(draft)
        # The draw rounds every product and every sum, with fused multiply-add as without it.
        subprocess.run([*compiler, "-ffp-contract=off", "-c", str(DRAW), "-o", str(made / "draw.o")], check=True)
        for name, own in BINARIES.items():
            objects = [made / f"{source.stem}.o" for source in SHARED]
            for source, target in zip(SHARED, objects, strict=True):
                subprocess.run([*compiler, *own, "-c", str(source), "-o", str(target)], check=True)
            exports = [f"-Wl,--export={function}" for function in EXPORTS]
            whole = [*map(str, objects), str(made / "draw.o"), "-o", str(made / name)]
            subprocess.run([*compiler, *LINK, *exports, *whole], check=True)
            (folder / name).write_bytes((made / name).read_bytes())


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
