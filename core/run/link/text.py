"""Bytes as the text behind `#` in an address, and back: base64url, or decimal digits, which a QR code packs best.

Both forms say the same. A link of version 1 begins with `A` in base64url, so digits alone can only be the other form.
"""

from __future__ import annotations

import base64
import binascii

from core.run.link.link import LARGEST, BadLink

GROUP_BYTES, GROUP_DIGITS = 22, 53
"""22 bytes take 53 digits, since 2^176 is just below 10^53."""
LONGEST = 3 * LARGEST
PLAYER = "player/"
"""The page of a site that opens links."""


def address(site: str, text: str) -> str:
    """The link that opens a network at the site whose address is `site`."""
    return f"{prefix(site)}{text}"


def prefix(site: str) -> str:
    """What stands before the text of a link."""
    return f"{site.rstrip('/')}/{PLAYER}#"


def base64url(content: bytes) -> str:
    """Letters, digits, `-` and `_`, without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def digits(content: bytes) -> str:
    """Decimal digits: every 22 bytes, as a big-endian number, are 53 of them; fewer bytes as many as they need."""
    groups = (content[at : at + GROUP_BYTES] for at in range(0, len(content), GROUP_BYTES))
    return "".join(str(int.from_bytes(group, "big")).zfill(digits_of(len(group))) for group in groups)


def digits_of(count: int) -> int:
    """How many digits the greatest number of so many bytes has."""
    return len(str(256**count - 1))


REST = {digits_of(count): count for count in range(1, GROUP_BYTES + 1)}
"""How many bytes a last group of so many digits has."""


def content_of(text: str) -> bytes:
    """The bytes in `text`: a whole link, or what stands behind its `#`. Raises BadLink."""
    if len(text) > LONGEST + 2_000:
        raise BadLink(f"this link is longer than {LARGEST / 1000:,.0f} kB, which none is")
    code = "".join(text.split()).rpartition("#")[2]
    if not code:
        raise BadLink("this link has nothing behind its #, where the network would be")
    if not (code.isascii() and code.replace("-", "").replace("_", "").isalnum()):
        raise BadLink("this is no link to a network: it has other characters than letters, digits, - and _")
    return _from_digits(code) if code.isdecimal() else _from_base64url(code)


def _from_digits(code: str) -> bytes:
    groups = [code[at : at + GROUP_DIGITS] for at in range(0, len(code), GROUP_DIGITS)]
    try:
        return b"".join(int(group).to_bytes(REST[len(group)], "big") for group in groups)
    except (KeyError, OverflowError) as error:
        raise BadLink("this link is damaged or incomplete: its digits are not those of whole bytes") from error


def _from_base64url(code: str) -> bytes:
    damaged = "this link is damaged or incomplete: its letters are not those of whole bytes"
    try:
        content = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    except (binascii.Error, ValueError) as error:
        raise BadLink(damaged) from error
    if base64url(content) != code:  # bits that mean nothing, in the last letter
        raise BadLink(damaged)
    return content
