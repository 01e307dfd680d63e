"""The bytes of a link: what goes in comes out, small, and whatever is damaged or cannot be carried is refused."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest

from core.run.edits import Edit
from core.run.link.link import BadLink, NoLink, decode, encode, obstacle
from core.run.link.made import link_of
from core.run.link.words import LinkFacts
from core.run.spec import RunSpec
from tests.core.run.link.made import CARRIED, link, spec, tensors


@pytest.mark.parametrize("kind", CARRIED)
def test_a_network_comes_back_with_its_spec_and_its_tensors(kind: str) -> None:
    run = spec(**CARRIED[kind])
    content = link(run)
    found = decode(content)
    assert found.spec == run and found.told == LinkFacts(0.8022) and found.size_bytes == len(content)
    made = tensors(run)
    assert {name: array.shape for name, array in found.tensors.items()} == {n: a.shape for n, a in made.items()}
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in found.tensors.values())
    assert encode(run, made, LinkFacts(0.8022)) == content, "the same network has the same link"


@pytest.mark.parametrize("kind", CARRIED)
def test_a_link_of_a_link_is_nearly_the_same(kind: str) -> None:
    """What was folded once needs no folding again; the rounding of a rounded number changes little."""
    run = spec(**CARRIED[kind])
    once = decode(link(run)).tensors
    twice = decode(encode(run, once, LinkFacts())).tensors
    for name, array in once.items():
        spread = max(float(np.ptp(array)), 1e-3 * float(np.abs(array).max()), 1e-6)
        assert np.abs(twice[name] - array).max() <= 0.02 * spread, name


def test_the_output_of_each_norm_layer_is_the_folded_one() -> None:
    run = spec()
    made, found = tensors(run), decode(link(run)).tensors
    for norm in run.plan.norms:
        gamma, beta, mean, var = (
            made[f"{norm.name}.{part}"].astype(float) for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = gamma / np.sqrt(var + 1e-5)
        there = [found[f"{norm.name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
        assert np.abs(there[0] - factor).max() <= 0.51 * np.ptp(factor) / 250
        assert np.abs(there[1] - (beta - mean * there[0])).max() <= 0.51 * np.ptp(there[1]) / 250
        assert not there[2].any() and np.all(there[3] == np.float32(1 - 1e-5))


def test_a_channel_that_never_varies_costs_the_others_nothing() -> None:
    run = spec()
    made = tensors(run)
    made["stem.norm.running_var"][0] = 0.0
    made["stem.norm.weight"][0] = 1.0
    found = decode(encode(run, made, LinkFacts())).tensors
    assert found["stem.norm.weight"][0] == 0 and np.abs(found["stem.norm.weight"]).max() < 10
    assert found["stem.norm.bias"][0] == pytest.approx(made["stem.norm.bias"][0], abs=0.02)


@pytest.mark.parametrize(("architecture", "most"), [("resnet-14", 1500), ("resnet-32", 2953)])
@pytest.mark.parametrize("dataset", ["digits", "fashion-mnist", "cifar-10"])
def test_the_promised_sizes(architecture: str, most: int, dataset: str) -> None:
    run = spec(architecture=architecture, dataset=dataset, epochs=160, copy_of_data=None)
    assert len(link(run)) <= most


def test_every_changed_byte_and_every_cut_is_noticed() -> None:
    content = link(spec())
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 + place % 255
        with pytest.raises(BadLink):
            decode(bytes(changed))
        with pytest.raises(BadLink):
            decode(content[:place])
    with pytest.raises(BadLink, match="checksum"):
        decode(content + b"\0")


def summed(content: bytes) -> bytes:
    """`content` with a checksum that fits."""
    return content + zlib.crc32(content).to_bytes(4, "little")


def lined(line: str) -> bytes:
    """The link of `spec()` with another line of words."""
    body = link(spec())[:-4]
    return summed(bytes([1, len(line)]) + line.encode() + body[2 + body[1] :])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no link to a network"),
        (b"\2" + link(spec())[1:], "version 2; this program reads version 1"),
        (b"\1" * 100_001, "longer than 100 kB"),
        (summed(b"\1"), "ends too early"),
        (summed(b"\1\3abc"), "does not name an architecture"),
        (summed(b"\1\3\xff\xff\xff"), "not ASCII"),
        (summed(b"\1\xff\xff\xff\xff\x7f"), "is the most"),
        (lined("resnet-9 batchnorm digits epochs=3"), "cannot be built here: architecture"),
        (lined("resnet-8 batchnorm digits epochs=3 epochs"), "no key=value"),
        (lined("resnet-8 batchnorm digits epochs=3 nonsense=3"), "nonsense"),
        (lined("resnet-8 batchnorm digits epochs=3 epochs.x=3"), "does not belong to a spec"),
        (lined("resnet-8 batchnorm digits epochs=3 top1=80"), "not from 0 to 1"),
        (lined("resnet-8 batchnorm digits epochs=3 edited=-1"), "number of edits"),
        (lined("resnet-8 all digits epochs=3"), "weights trained too"),
        (lined("resnet-8 batchnorm digits epochs=3 draw=1"), "version 1 of the draw"),
        (lined("resnet-14 batchnorm digits epochs=3"), "other layers than resnet-14"),
        (lined("resnet-8 gamma digits epochs=3"), "other layers than resnet-8 under the policy gamma"),
        (summed(link(spec())[:-4] + b"\0"), "1 bytes behind its last layer"),
        (summed(link(spec())[:-5]), "ends too early"),
    ],
)
def test_what_is_no_link_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(BadLink) as refused:
        decode(content)
    assert words in str(refused.value) and str(refused.value).startswith("this ")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"policy": "all"}, "73,872 weights trained too, which no seed gives back, so a link would need 78 kB"),
        ({"policy": "all-but-batchnorm"}, "weights trained too"),
        ({"policy": "supermask-50"}, "scores of its weights trained too"),
        ({"policy": "supermask-30+batchnorm"}, "scores of its weights trained too"),
        ({"draw": 1}, "version 1 of the draw, which differs from machine to machine"),
        ({"start": "0" * 64}, "it started from a file"),
        ({"architecture": "wrn-14-16", "policy": "shortcut"}, "100 kB is the most"),
    ],
)
def test_what_no_link_carries_is_refused_with_what_to_do(changes: dict[str, Any], words: str) -> None:
    run = spec(**changes)
    reason = obstacle(run)
    assert reason is not None and words in reason and reason.lower().endswith("share the capsule instead")
    with pytest.raises(NoLink):
        encode(run, {}, LinkFacts())


def test_a_network_whose_values_are_no_numbers_is_refused() -> None:
    run = spec()
    made = tensors(run)
    made["stem.norm.running_var"][1] = -1.0
    with pytest.raises(NoLink, match="not finite"):
        encode(run, made, LinkFacts())


def opened(run: RunSpec, *edits: Edit) -> tuple[LinkFacts, dict[str, Any]]:
    found = decode(link_of(run, tensors(run), 0.9, edits))
    return found.told, found.tensors


def test_edits_are_in_the_link_and_a_feature_that_is_off_is_exactly_off() -> None:
    run = spec()
    told, there = opened(run, Edit(action="zero", layer="stem.norm", features=(0, 3)))
    assert told == LinkFacts(None, 2), "the accuracy of the run is not that of an edited network"
    assert [i for i, gamma in enumerate(there["stem.norm.weight"]) if gamma == 0] == [0, 3]
    _, before = opened(run)
    told, there = opened(run, Edit(action="flip"))
    assert told.edited == sum(norm.channels for norm in run.plan.norms)
    assert there["stem.norm.weight"] == pytest.approx(-before["stem.norm.weight"], abs=0.02)
    told, _ = opened(run, Edit(action="flip"), Edit(action="reset"))
    assert told == LinkFacts(0.9), "undone edits are none"


def test_edits_of_frozen_features_are_refused() -> None:
    run = spec(policy="batchnorm-stage-2")
    _, there = opened(run, Edit(action="zero", layer="stage2.0.norm1"))
    assert not there["stage2.0.norm1.weight"].any()
    with pytest.raises(NoLink, match=r"the γ of stem\.norm are those of the seed"):
        opened(run, Edit(action="zero", below=0.1))
