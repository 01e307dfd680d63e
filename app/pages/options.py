"""The registries and the form's tables as plain data, which every page has in its head for its scripts."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from app.form import choices, experiments, fields
from app.pages.table import PAGES
from app.views import downloads
from core.catalog.architectures import FAMILIES
from core.catalog.datasets import DATASETS, DataSet
from core.catalog.folder import missing
from core.catalog.grammar import PolicyRule, Wording
from core.catalog.policies import POLICIES, POLICY_GROUPS
from core.catalog.policy import Policy
from core.catalog.policy_rules import POLICY_RULES
from core.run.events import DISABLED_BELOW, EDGES, QUANTILES, Point
from core.studies.catalog.table import STUDIES
from jobs.store.studies import OWN

COUNTED = ("batchnorm", "random-2", "output", "shortcut", "batchnorm+output+shortcut", "all")
"""The policies whose parameters the page About counts."""


def options() -> dict[str, Any]:
    """All registries and tables, as values that JSON can hold."""
    return {
        "families": [
            {
                "name": family.name,
                "title": family.title,
                "sentence": family.sentence,
                "number": family.number,
                "pattern": family.pattern,
                "featured": list(family.featured),
                "open": choices.is_open(family),
                "stages": choices.STAGES_OF[family.name],
            }
            for family in FAMILIES.values()
        ],
        "policies": [{"name": policy.name, **_said(policy)} for policy in POLICIES.values()],
        "grammar": [_worded(wording) for rule in POLICY_RULES.values() for wording in rule.wordings],
        "groups": [{"name": g.name, "title": g.title, "key": g.key} for g in POLICY_GROUPS.values()],
        "rules": [_rule(rule) for rule in POLICY_RULES.values()],
        "datasets": [
            {
                "name": data.name,
                "title": data.title,
                "sentence": " ".join(filter(None, (data.sentence, _missing(data)))),
                "train": data.train,
                "test": data.test,
                "classes": len(data.classes),
            }
            for data in DATASETS.values()
        ],
        "defaults": fields.DEFAULTS,
        "usual": fields.USUAL,
        "optional": fields.OPTIONAL,
        "titles": choices.TITLES,
        "shown": choices.SHOWN,
        "choices": {key: [value for _, value in members] for key, members in choices.MEMBERS.items()}
        | {key: list(choices.TITLES[key]) for key in choices.TICKS}
        | {field.key: list(field.values) for rule in POLICY_RULES.values() for field in rule.fields},
        "examples": list(fields.EXAMPLES),
        "twin": experiments.TWIN,
        "questions": {experiment.name: experiment.sentence for experiment in experiments.EXPERIMENTS.values()},
        "studies": {study.name: study.title for study in STUDIES.values()} | {OWN: "A visitor’s own question"},
        "findings": list(downloads.TABLES),
        "pages": [{"path": page.path, "opens": page.opens} for page in PAGES.values()],
        "counted": list(COUNTED),
        "edges": list(EDGES),
        "quantiles": list(QUANTILES),
        "disabled_below": DISABLED_BELOW,
    }


def options_json(**more: object) -> str:
    """The registries, the columns of a point and `more`, as JSON that can stand in a page."""
    known = {**options(), "point": Point._fields, **more}
    return json.dumps(known, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _said(policy: Policy) -> dict[str, Any]:
    """The titles and colours of `policy`, and the norm initialiser that it wants (None: the default)."""
    return {
        "title": policy.title,
        "sentence": policy.sentence,
        "source": policy.source,
        "norm": policy.norm,
        "group": policy.group,
        "hue": policy.hue,
    }


def _worded(wording: Wording) -> dict[str, Any]:
    """The same for policies that a rule names; {k} in the text stands for the match of the pattern's group."""
    said = _said(wording.example)
    words = {key: wording.of(said[key]) for key in ("title", "sentence")}
    return {"pattern": wording.pattern, **said, **words}


def _rule(rule: PolicyRule) -> dict[str, Any]:
    """How the script writes and reads the names of `rule`; `pattern` has a group for each field."""
    said = [asdict(field) for field in rule.fields]
    return {"name": rule.name, "group": rule.group, "stem": rule.stem, "pattern": rule.pattern, "fields": said}


def _missing(data: DataSet) -> str | None:
    """What is missing for a data set from a folder, if this server was started without that folder."""
    problem = missing(data)
    return problem and f"{problem}."
