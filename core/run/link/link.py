"""A trained network as bytes that fit into a link: docs/link.md has the format. No torch.

Everything that the seed gives back is left out; the spec, and what trained in 8 bits, is all there is.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from core.run.link.blocks import QUANTITIES, LinkBlock, folded, named, places, weighty
from core.run.link.levels import HEAD, Floats, Levels, NotFinite
from core.run.link.words import BadWords, LinkFacts, read, written
from core.run.spec import RunSpec

VERSION = 1
LARGEST = 100_000
"""The most bytes of a link; browsers open longer ones, but few programs pass them on."""
SUM_BYTES = 4
MAX_LINE, MAX_RUNS, MAX_BLOCKS, MAX_SIZE = 2_000, 20_000, 20_000, LARGEST


class NoLink(ValueError):
    """No link can carry this network; the message says why, and what to do."""


class BadLink(ValueError):
    """What was given is no link, or a damaged one; the message says what is wrong."""


@dataclass(frozen=True)
class Link:
    """What a link holds. `tensors`: what trained and the running statistics, by name; `size_bytes`: its own size."""

    spec: RunSpec
    told: LinkFacts
    tensors: dict[str, Floats]
    size_bytes: int


def obstacle(spec: RunSpec) -> str | None:
    """Why no link can carry a network of `spec`; None: one can."""
    if spec.draw == 1:
        return (
            "its random weights come from version 1 of the draw, which differs from machine to machine; a link needs "
            "version 2. Share the capsule instead"
        )
    if spec.start is not None:
        return "it started from a file, whose weights no seed gives back: share the capsule instead"
    roles = {parameter.name: parameter.role for parameter in spec.plan.parameters}
    trained = {name: one for name, one in spec.trains.items() if weighty(one, roles[name])}
    size = _size(spec)
    if trained:
        what = "scores of its weights" if any(one.how == "scores" for one in trained.values()) else "weights"
        numbers = sum(one.count for one in trained.values())
        return (
            f"its {numbers:,} {what} trained too, which no seed gives back, so a link would need {_kilobytes(size)}: "
            "share the capsule instead"
        )
    if size > LARGEST:
        return f"a link would need {_kilobytes(size)}, and {_kilobytes(LARGEST)} is the most: share the capsule instead"
    return None


def _size(spec: RunSpec) -> int:
    """About how many bytes a link of `spec` has; it counts one a number even of what no link carries."""
    return 100 + sum((HEAD.itemsize + place.size) * len(QUANTITIES.get(place.kind, "1")) for place in places(spec))


def _kilobytes(size: int) -> str:
    return f"{size / 1000:,.0f} kB"


def encode(spec: RunSpec, tensors: Mapping[str, Floats], told: LinkFacts) -> bytes:
    """The bytes of a network of `spec` whose trained tensors and running statistics, by name, are `tensors`.

    Raises NoLink.
    """
    if reason := obstacle(spec):
        raise NoLink(reason)
    try:
        blocks = [_packed(folded(place, tensors)) for place in places(spec)]
    except NotFinite as error:
        raise NoLink(f"its network {error}") from error
    line = written(spec, told).encode("ascii")
    head = bytes([VERSION]) + _number(len(line)) + line + _shapes([(place.kind, place.size) for place in places(spec)])
    content = head + b"".join(blocks)
    return content + zlib.crc32(content).to_bytes(SUM_BYTES, "little")


def decode(content: bytes) -> Link:
    """The network in `content`. Raises BadLink."""
    if len(content) > LARGEST:
        raise BadLink(f"this link is longer than {_kilobytes(LARGEST)}, which none is")
    if not content or content[0] != VERSION:
        which = f"version {content[0]}" if content else "no version"
        raise BadLink(f"this is no link to a network, or one of {which}; this program reads version {VERSION}")
    body, told = content[:-SUM_BYTES], content[-SUM_BYTES:]
    if zlib.crc32(body) != int.from_bytes(told, "little"):
        raise BadLink("this link is damaged or incomplete: its checksum does not match; copy the whole link again")
    try:
        spec, said, tensors = _opened(_Reader(body, 1))
    except (BadWords, NotFinite) as error:
        raise BadLink(f"this link {error}") from error
    return Link(spec, said, tensors, len(content))


def _opened(reader: _Reader) -> tuple[RunSpec, LinkFacts, dict[str, Floats]]:
    try:
        line = reader.take(reader.number(MAX_LINE)).decode("ascii")
    except UnicodeDecodeError as error:
        raise BadWords("names a network in letters that are not ASCII") from error
    spec, told = read(line)
    if reason := obstacle(spec):
        raise BadWords(f"describes a network that a link cannot carry: {reason}")
    if reader.shapes() != [(place.kind, place.size) for place in places(spec)]:
        raise BadWords(f"has other layers than {spec.architecture} under the policy {spec.policy}")
    blocks = [reader.block(place.kind, place.size) for place in places(spec)]
    reader.end()
    return spec, told, dict(named(spec, blocks))


def _packed(block: LinkBlock) -> bytes:
    return b"".join(Levels.of(numbers).pack() for numbers in block.numbers)


def _number(value: int) -> bytes:
    """LEB128: seven bits a byte, the low ones first; the eighth bit says that another byte follows."""
    parts = [value & 127]
    while value := value >> 7:
        parts[-1] |= 128
        parts.append(value & 127)
    return bytes(parts)


def _shapes(shapes: Sequence[tuple[int, int]]) -> bytes:
    """How many runs of equal blocks there are, and of each its kind, its size and its length."""
    runs = [(kind, size, len(list(run))) for (kind, size), run in groupby(shapes)]
    return _number(len(runs)) + b"".join(_number(value) for run in runs for value in run)


class _Reader:
    """Takes a link apart from `at` on. All methods raise BadWords at its end."""

    def __init__(self, content: bytes, at: int) -> None:
        self.content, self.at = content, at

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.content):
            raise BadWords("ends too early")
        self.at += count
        return self.content[self.at - count : self.at]

    def number(self, most: int) -> int:
        value, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128 or shift > 28:
                break
        if value > most:
            raise BadWords(f"has a number of {value:,} where {most:,} is the most")
        return value

    def shapes(self) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for _ in range(self.number(MAX_RUNS)):
            kind, size, length = (self.number(most) for most in (max(QUANTITIES), MAX_SIZE, MAX_BLOCKS))
            if len(found) + length > MAX_BLOCKS:
                raise BadWords("has more layers than any network here")
            found += [(kind, size)] * length
        return found

    def block(self, kind: int, size: int) -> LinkBlock:
        return LinkBlock(kind, size, tuple(self._numbers(QUANTITIES[kind], size)))

    def _numbers(self, names: Sequence[str], size: int) -> Iterator[Floats]:
        for _ in names:
            yield Levels.unpack(self.take(HEAD.itemsize + size)).numbers

    def end(self) -> None:
        if self.at < len(self.content):
            raise BadWords(f"has {len(self.content) - self.at:,} bytes behind its last layer")
