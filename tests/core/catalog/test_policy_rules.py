"""Names of policies that no table lists: the rules read them, the form can show them, and each has its colour."""

from __future__ import annotations

import re

import pytest

from core.catalog.grammar import PolicyRule
from core.catalog.policies import POLICIES, POLICY_GROUPS, listed_in, policy, rules_in
from core.catalog.policy_rules import POLICY_RULES
from core.catalog.registry import UnknownName


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("output+batchnorm", "batchnorm+output"),
        ("shortcut+output+batchnorm", "batchnorm+output+shortcut"),
        ("batchnorm-stages-3-1", "batchnorm-stages-1-3"),
        ("batchnorm-stage-0", "batchnorm-stage-0"),
        ("supermask-50", "supermask"),
        ("supermask-30", "supermask-30"),
        ("random-3-layer", "random-3-layer"),
        ("supermask-50+batchnorm", "supermask+batchnorm"),
        ("batchnorm+supermask-30", "supermask-30+batchnorm"),
        ("supermask-7+shortcut+output", "supermask-7+output+shortcut"),
    ],
)
def test_names_beyond_the_listed_ones(asked: str, name: str) -> None:
    assert policy(asked).name == name


@pytest.mark.parametrize(
    "name",
    [
        "batchnorm+batchnorm",
        "batchnorm+all",
        "batchnorm-stage-6",
        "batchnorm-stages-1-1",
        "random-129",
        "supermask-0",
        "supermask-0+batchnorm",
        "supermask-100+output",
        "supermask+",
        "supermask+unknown",
        "+",
    ],
)
def test_names_that_are_no_policy(name: str) -> None:
    with pytest.raises(UnknownName):
        policy(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("supermask+all", "all trains every weight already"),
        ("all-but-batchnorm+supermask", "all-but-batchnorm trains every weight already"),
        ("supermask+none", "none trains nothing"),
        ("supermask+supermask-30", "a layer has one mask, and supermask and supermask-30 are two"),
        ("supermask+batchnorm+batchnorm", "batchnorm is named twice"),
        ("supermask+random-2", "random-2 is a policy for itself"),
        ("supermask-30+batchnorm-stage-1", "batchnorm-stage-1 is a policy for itself"),
        ("batchnorm+gamma", "gamma is a policy for itself"),
    ],
)
def test_a_union_that_makes_no_sense_says_why(name: str, why: str) -> None:
    with pytest.raises(UnknownName, match=f"'{re.escape(name)}' makes no sense as a policy: {why}") as refused:
        policy(name)
    assert "A union joins batchnorm, output, shortcut, and at most one supermask-k" in str(refused.value)


def test_beside_a_mask_gamma_and_beta_begin_as_elsewhere_if_they_train() -> None:
    """Frozen ones stay at 1 and 0, where they change nothing."""
    norms = {name: policy(name).norm for name in ("supermask", "supermask+output", "supermask-30+output+shortcut")}
    assert set(norms.values()) == {"ones"}
    assert policy("supermask+batchnorm").norm is policy("batchnorm").norm is None


@pytest.mark.parametrize("name", POLICIES)
def test_the_form_can_show_every_policy_in_one_way(name: str) -> None:
    group = POLICY_GROUPS[POLICIES[name].group]
    by_rule = [rule for rule in rules_in(group) if rule.policy(name)]
    assert len(by_rule) + (POLICIES[name] in listed_in(group)) == 1


@pytest.mark.parametrize("rule", POLICY_RULES.values(), ids=POLICY_RULES)
def test_a_rule_knows_what_its_words_are_of(rule: PolicyRule) -> None:
    assert rule.group in POLICY_GROUPS
    for wording in rule.wordings:
        match = re.fullmatch(wording.pattern, wording.example.name)
        assert match and match[1].replace("-", ", ") == wording.said
        assert rule.policy(wording.example.name) == wording.example
        assert wording.example.group == rule.group


def test_the_pages_have_words_for_every_union_with_a_mask() -> None:
    wordings = POLICY_RULES["supermask-union"].wordings
    for parts in ("batchnorm", "output+shortcut", "batchnorm+output+shortcut"):
        name = f"supermask-7+{parts}"
        (wording,) = (wording for wording in wordings if re.fullmatch(wording.pattern, name))
        made = policy(name)
        assert wording.of(wording.example.title).replace("{k}", "7") == made.title
        assert wording.of(wording.example.sentence).replace("{k}", "7") == made.sentence


def test_the_policies_that_are_compared_most_have_hues_of_their_own() -> None:
    """As the paper's figures pair them; the other policies share the hues by their names."""
    hues = {name: policy(name).hue for name in ("batchnorm", "random-2", "output", "gamma", "all", "none")}
    assert hues == {"batchnorm": 1, "random-2": 2, "output": 3, "gamma": 4, "all": 5, "none": 6}
    assert {policy(name).hue for name in ("random-7-layer", "random-100")} == {2}
    assert (policy("batchnorm-stages-0-2").hue, policy("supermask-30").hue, policy("beta").hue) == (1, 6, None)
