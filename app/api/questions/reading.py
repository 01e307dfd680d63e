"""The body of a launch: a question of the catalog by its name, or somebody's own, as JSON or as YAML."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import Depends, Request
from pydantic import Field

from app.api import starts
from app.api.common import By, Here, Services
from app.api.errors import Problem, invalid, parse, told
from app.web.bodies import BadJson, read_json
from core.catalog.model import Model
from core.run.handwritten import BadText, decoded, read_yaml
from core.studies.asked.question import ENOUGH, MAX_MARKS, OwnQuestion, question_of
from core.studies.asked.words import BadQuestion
from core.studies.spec import Scale, StudySpec
from jobs.quotas import Asker

OWN_FIELDS = frozenset({"title", "base", "vary", "claim", "replicates"})
"""Any of these makes a body somebody's own question."""
QUESTION: dict[str, Any] = {
    "title": "Which rate suits random weights?",
    "claim": {"kind": "beats", "field": "recipe.lr", "value": 0.01, "margin": 1},
    "base": {"architecture": "resnet-14", "policy": "random-2", "dataset": "digits", "epochs": 20},
    "vary": {"recipe.lr": [0.001, 0.01, 0.1]},
    "replicates": 3,
}
YAML = """title: Which rate suits random weights?
claim: {kind: beats, field: recipe.lr, value: 0.01, margin: 1}
base: {architecture: resnet-14, policy: random-2, dataset: digits, epochs: 20}
vary:
  recipe.lr: [0.001, 0.01, 0.1]
replicates: 3
"""


class StudyRequest(Model):
    """A named study and its scale; GET /api/studies lists them."""

    name: str = Field(max_length=40, description="Such as depth, random-k, gamma.")
    scale: Scale = Field("minutes", description="minutes, evening or paper.")


def _content(*models: type[Model], examples: dict[str, Any]) -> dict[str, Any]:
    refs = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in models]
    schema = refs[0] if len(refs) == 1 else {"anyOf": refs}
    told = {name: {"value": value} for name, value in examples.items()}
    text = {"schema": {"type": "string"}, "example": YAML}
    content = {"application/json": {"schema": schema, "examples": told}, "application/yaml": text}
    return {"requestBody": {"required": True, "content": content}}


NAMED: dict[str, Any] = {"name": "depth", "scale": "minutes"}
BODY = _content(StudyRequest, OwnQuestion, examples={"named": NAMED, "your own": QUESTION})
"""The documentation of the body of a launch, which we parse ourselves."""
ASKED = _content(OwnQuestion, examples={"your own": QUESTION})
"""The same for a route that takes somebody's own questions alone."""


async def _wanted(request: Request, here: Here, by: By) -> StudyRequest | StudySpec:
    return await _read(await request.body(), here, by)


async def _asked(request: Request, here: Here, by: By) -> StudySpec:
    found = await _read(await request.body(), here, by)
    if isinstance(found, StudyRequest):
        raise Problem(422, "a question of your own has a title, base and vary; GET /api/studies has those of the paper")
    return found


Wanted = Annotated[StudyRequest | StudySpec, Depends(_wanted)]
"""What the body of a launch asks for."""
AskedStudy = Annotated[StudySpec, Depends(_asked)]
"""The study of somebody's own question in the body."""


async def _read(body: bytes, here: Services, by: Asker) -> StudyRequest | StudySpec:
    try:
        written = decoded(body)
    except BadText as error:
        raise Problem(422, str(error)) from error
    is_json = written.lstrip()[:1] in ("", "{", "[", '"')
    return await (here.specs if is_json else here.texts).run(_study, body, written, is_json, here, by)


def _study(body: bytes, written: str, is_json: bool, here: Services, by: Asker) -> StudyRequest | StudySpec:
    """The study in `body`, which says `written`. Raises Problem."""
    try:
        fields = read_json(body) if is_json else read_yaml(written, MAX_MARKS, ENOUGH)
    except (BadJson, BadText) as error:
        raise Problem(422, str(error)) from error
    if not isinstance(fields, dict) or not OWN_FIELDS & fields.keys():
        return parse(StudyRequest, body if is_json else orjson.dumps(fields, default=str), told)
    try:
        study = question_of(_resolved(fields, here, by)).study()
    except BadQuestion as error:
        raise invalid(list(error.faults)) from error
    # A file may fit some of the networks only; replicates and recipes make no difference.
    for spec in {(m.spec.start, m.spec.architecture, m.spec.dataset): m.spec for m in study.members}.values():
        starts.refuse_unknown_start(spec, here)
    return study


def _resolved(fields: dict[str, Any], here: Services, by: Asker) -> dict[str, Any]:
    """`fields` with the digest of a run's capsule in place of each start of the form {"run": ID}."""

    def resolved(value: object) -> object:
        return starts.capsule_as_start(value, here, by) if isinstance(value, dict) else value

    base, vary = fields.get("base"), fields.get("vary")
    if isinstance(base, dict) and "start" in base:
        fields = {**fields, "base": {**base, "start": resolved(base["start"])}}
    if isinstance(vary, dict) and isinstance(vary.get("start"), list):
        fields = {**fields, "vary": {**vary, "start": [resolved(value) for value in vary["start"]]}}
    return fields
