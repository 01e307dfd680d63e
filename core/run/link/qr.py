"""The QR code of a link: the address as bytes, the network as digits, three of which take ten bits. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import segno

from core.run.link.text import GROUP_BYTES, GROUP_DIGITS, digits, digits_of, prefix

BORDER = 4
"""Light modules around the code, as the standard asks."""
CODEWORDS = 2956
"""The largest QR code, version 40 of level L, holds so many bytes of data, those included that say what follows."""


class TooLarge(ValueError):
    """No QR code holds this link; the message says how much one holds."""


@dataclass(frozen=True)
class Qr:
    """The code as an SVG picture; its `version` 1..40 and the `modules` of a side, without the border."""

    svg: str
    version: int
    modules: int


def most_bytes(site: str) -> int:
    """The most bytes of a network that a QR code holds behind the address of `site`."""
    head = 4 + 16 + 8 * len(prefix(site).encode()) + 4 + 14
    figures = (8 * CODEWORDS - head) * 3 // 10
    groups, rest = divmod(figures, GROUP_DIGITS)
    return groups * GROUP_BYTES + sum(digits_of(count) <= rest for count in range(1, GROUP_BYTES))


def qr(content: bytes, site: str) -> Qr:
    """The QR code that opens the network `content`, a link's bytes, at the address `site`. Raises TooLarge."""
    if len(content) > (most := most_bytes(site)):
        raise TooLarge(
            f"{len(content):,} bytes are too many for a QR code: the largest holds {most:,} behind this address"
        )
    parts: Any = (prefix(site), digits(content))  # each part in the densest mode that it allows
    code = segno.make(parts, error="l", micro=False)
    assert isinstance(code.version, int)
    file = BytesIO()
    code.save(file, kind="svg", border=BORDER, light="white", omitsize=True, xmldecl=False)
    return Qr(file.getvalue().decode(), code.version, 17 + 4 * code.version)
