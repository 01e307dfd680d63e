"""`python -m core capsule link|qr FILE` and `capsule open LINK --out FILE`: a network as a link or a QR code, and back.

The link stands alone on standard output; what it costs stands on standard error. Exit codes: 0 done, 2 bad arguments.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import torch

from core.commands.arguments import BadArguments
from core.commands.capsule import capsule_of
from core.commands.exit_codes import DONE
from core.commands.surgery import operation_on, request_of
from core.data.batches import batches
from core.data.memory import DataUnavailable
from core.machine.files import datasets_folder, write_atomically
from core.network.devices import device_of
from core.run.edits import Edit
from core.run.link.link import BadLink, NoLink, decode
from core.run.link.qr import TooLarge, qr
from core.run.link.text import address, base64url, content_of
from core.trained.capsule import Capsule, pack
from core.trained.linked import capsule_link, opened_capsule, price


def link(arguments: argparse.Namespace) -> int:
    """Print the link of a capsule's network, and what it costs in accuracy. Raises BadArguments, BadCapsule."""
    capsule, edits = _asked(arguments)
    content = _link_of(capsule, edits)
    text = base64url(content)
    text = address(arguments.site, text) if arguments.site else text
    costs = None if arguments.no_measure else _costs(capsule, edits, arguments)
    if arguments.json:
        print(json.dumps({"link": text, "size_bytes": len(content), "cost": costs}))
        return DONE
    print(text)
    print(f"{len(content):,} bytes, {len(text):,} characters; {_words(costs)}", file=sys.stderr)
    return DONE


def qr_code(arguments: argparse.Namespace) -> int:
    """Draw the QR code of a capsule's network as an SVG picture. Raises BadArguments, BadCapsule."""
    if not (arguments.site and arguments.out):
        raise BadArguments("capsule qr needs --site URL, whose player the code opens, and --out FILE.svg")
    capsule, edits = _asked(arguments)
    content = _link_of(capsule, edits)
    try:
        code = qr(content, arguments.site)
    except TooLarge as error:
        raise BadArguments(str(error)) from error
    _write(arguments.out, code.svg.encode())
    told = (
        f"{arguments.out}: {len(content):,} bytes in a QR code of version {code.version}, {code.modules} modules a side"
    )
    costs = None if arguments.no_measure else _costs(capsule, edits, arguments)
    print(f"{told}; {_words(costs)}", file=sys.stderr)
    return DONE


def opened(arguments: argparse.Namespace) -> int:
    """Write the network of a link as a capsule, with its test accuracy as measured here. Raises BadArguments."""
    if not arguments.out:
        raise BadArguments("capsule open needs --out FILE, where the capsule is written")
    try:
        found = decode(content_of(_text(arguments.file)))
    except BadLink as error:
        raise BadArguments(str(error)) from error
    torch.set_num_threads(arguments.threads or torch.get_num_threads())
    device = device_of(arguments.device)
    try:
        capsule = opened_capsule(found, batches(found.spec, datasets_folder(), device), device)
    except DataUnavailable as error:
        raise BadArguments(f"the accuracy of the link's network cannot be measured: {error}") from error
    _write(arguments.out, pack(capsule))
    top1 = capsule.result.top1
    print(f"{arguments.out}: {found.spec.architecture}, {found.spec.policy}, {found.spec.dataset}; top-1 {top1:.2%}")
    print(f"from a link: {capsule.linked}", file=sys.stderr)
    return DONE


def _text(given: Path) -> str:
    """The link: standard input for `-`, the content of a file, or what was given itself."""
    if str(given) == "-":
        return sys.stdin.read()
    try:
        return given.read_text("ascii") if given.is_file() else str(given)
    except UnicodeDecodeError as error:
        raise BadLink(f"{given} holds no link: it is not plain text") from error
    except OSError:  # too long for the name of a file
        return str(given)


def _asked(arguments: argparse.Namespace) -> tuple[Capsule, Sequence[Edit]]:
    capsule = capsule_of(arguments.file)
    torch.set_num_threads(arguments.threads or capsule.origin.threads)
    if arguments.request is None:
        return capsule, ()
    try:
        return capsule, request_of(arguments.request.read_bytes(), capsule.spec).edits
    except OSError as error:
        raise BadArguments(f"cannot read {arguments.request}: {error.strerror}") from error


def _link_of(capsule: Capsule, edits: Sequence[Edit]) -> bytes:
    try:
        return capsule_link(capsule, edits)
    except NoLink as error:
        raise BadArguments(f"this network does not fit into a link: {error}") from error


def _costs(capsule: Capsule, edits: Sequence[Edit], arguments: argparse.Namespace) -> dict[str, Any] | str:
    """The scores without and with 8 bits over all test images; why they were not measured, where they cannot be."""
    try:
        on = operation_on(capsule, arguments.device)
        return _end(price(on, capsule, edits, on.batches.test_images))
    except DataUnavailable as error:
        return str(error)


def _end(steps: Generator[float, None, dict[str, Any]]) -> dict[str, Any]:
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: dict[str, Any] = done.value
            return result


def _words(costs: dict[str, Any] | str | None) -> str:
    if costs is None:
        return "what the 8 bits cost was not measured"
    if isinstance(costs, str):
        return f"what the 8 bits cost was not measured: {costs}"
    exact, there = costs["exact"]["top1"], costs["link"]["top1"]
    change = f"{(there - exact) * 100:+.2f} points"
    return f"test top-1 {there:.2%} in 8 bits, {exact:.2%} without: {change}, on {costs['images']:,} images"


def _write(path: Path, content: bytes) -> None:
    try:
        write_atomically(path, content)
    except OSError as error:
        raise BadArguments(f"cannot write {path}: {error.strerror}") from error
