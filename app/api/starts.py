"""The REST routes of files that runs start from: upload, look at, download (core/trained/start.py).

The capsule of another run can be such a file, too.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Request, Response
from typing_extensions import TypedDict

from app.api.capsules import capsule_of
from app.api.common import By, Here, Services, wrong
from app.api.errors import Problem, invalid
from app.web.answers import answer, attached
from app.web.bodies import BadJson, read_json
from core.catalog.cache import cached
from core.machine.files import CAPSULE_FORMAT, START
from core.run.problems import Fault
from core.run.spec import RunSpec
from core.run.tensorfile import BadTensorFile, Header, read_header
from core.run.torchvision_names import architecture_of, is_torchvision, misfit
from jobs.quotas import Asker
from jobs.store.records import ID_PATTERN
from jobs.store.starts import Starts, StartsFull

MEGABYTE = 1 << 20
EXAMPLE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The file's SHA-256.")]
UPLOAD_FIRST = "start: this server has no file with this SHA-256; upload it first with POST /api/starts"
UNKNOWN = "there is no such file here; upload it with POST /api/starts"

router = APIRouter()


class StartView(TypedDict):
    """A file that runs can start from: write its `digest` into the field `start` of a run's spec.

    `architecture`: the one that a file with the names of a torchvision ResNet fits.
    """

    digest: str
    kind: Literal["capsule", "state dict"]
    tensors: int
    size_bytes: int
    architecture: str | None


@router.post(
    "/api/starts",
    status_code=201,
    response_model=StartView,
    responses=wrong(413, 422, 429),
    openapi_extra={"requestBody": {"required": True, "content": EXAMPLE}},
    summary="Upload a file to start from",
)
async def upload_start(request: Request, here: Here, by: By) -> Response:
    """The body is a capsule or a safetensors state dict, also one of torchvision's ResNets; at most as
    large as ONLYBN_LARGEST_START_MB allows. The same file always has the same digest."""
    return answer(await here.files.run(_taken, here, await request.body(), by), 201)


@router.get(
    "/api/starts/{digest}", response_model=StartView, responses=wrong(404, 422), summary="Look at a file to start from"
)
async def look_at_start(digest: Digest, here: Here) -> Response:
    """The kind and the size of an uploaded file."""
    return answer(await here.files.run(_looked_at, here, digest))


@router.get(
    "/api/starts/{digest}/file",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}, **wrong(404, 422)},
    summary="Download a file to start from",
)
def download_start(digest: Digest, here: Here) -> Response:
    """The uploaded file, unchanged."""
    content = here.store.starts.get(digest)
    if content is None:
        raise Problem(404, UNKNOWN)
    return Response(content, media_type="application/octet-stream", headers=attached(START))


def resolved(body: bytes, here: Services, by: Asker) -> bytes:
    """The JSON of a spec in which the digest of a run's capsule replaces a `start` of the form {"run": ID}."""
    if b'"start"' not in body:
        return body
    try:
        fields = read_json(body)
    except BadJson:
        return body  # the parser of the spec reports the error
    if not (isinstance(fields, dict) and isinstance(fields.get("start"), dict)):
        return body
    fields["start"] = capsule_as_start(fields["start"], here, by)
    return orjson.dumps(fields)


def refuse_unknown_start(spec: RunSpec, here: Services) -> None:
    """Raises Problem if the file that a run would start from is not here, or is for another network."""
    if spec.start and not here.store.starts.has(spec.start):
        raise _wrong(UPLOAD_FIRST)
    refuse_misfit(spec, here)


def refuse_misfit(spec: RunSpec, here: Services) -> None:
    """Raises Problem if a run would start from a file with torchvision's names that is for another network."""
    if not (spec.start and here.store.starts.has(spec.start)):
        return
    if problem := misfit(dict(_foreign(spec.start, here.store.starts)), spec.plan):
        raise _wrong(f"start: the file {problem}")


@cached(4 << 20, lambda shapes: 200 * len(shapes))
def _foreign(digest: str, files: Starts) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The shapes of the tensors of a file with torchvision's names; none of any other file."""
    content = files.get(digest)
    if content is None:  # deleted a moment ago
        raise _wrong(UPLOAD_FIRST)
    try:
        shapes = read_header(BytesIO(content), len(content)).shapes
    except BadTensorFile:
        return ()  # the run says what is wrong with it
    return tuple(shapes.items()) if is_torchvision(shapes) else ()


def _wrong(sentence: str) -> Problem:
    return invalid([Fault("start", sentence)])


def capsule_as_start(start: dict[str, Any], here: Services, by: Asker) -> str:
    """The digest of the capsule of a run, {"run": ID}, which is kept as a file to start from. Raises Problem."""
    run_id = start.get("run")
    if set(start) != {"run"} or not isinstance(run_id, str) or not re.fullmatch(ID_PATTERN, run_id):
        raise _wrong('start must be the SHA-256 of an uploaded file, or {"run": "the id of a finished run"}')
    run = here.store.runs.get(run_id)
    if run is None:
        raise _wrong(f"start: there is no run {run_id[:40]} here")
    if run.state != "finished":
        raise _wrong(f"start: run {run.id} is {run.state}; only a finished run can be started from")
    try:
        capsule = capsule_of(run, here)
        most = here.settings.largest_start_mb
        if capsule.size_bytes > most * MEGABYTE:
            raise _wrong(
                f"start: the capsule of run {run.id} has {capsule.size_bytes / MEGABYTE:.0f} MB, more than the {most} "
                "allowed; download it and use --start on the command line",
            )
        content = capsule.content(here)
    except Problem as problem:
        if problem.status == 404:
            raise _wrong(f"start: {problem.detail}") from problem
        raise
    return _keep(here, content, by)


def _taken(here: Services, content: bytes, by: Asker) -> StartView:
    header = _header(content)
    return _view(_keep(here, content, by), header)


def _looked_at(here: Services, digest: str) -> StartView:
    content = here.store.starts.get(digest)
    if content is None:
        raise Problem(404, UNKNOWN)
    return _view(digest, _header(content))


def _keep(here: Services, content: bytes, by: Asker) -> str:
    try:
        return here.store.starts.keep(content, by=by, limits=here.settings.limits)
    except StartsFull as error:
        raise Problem(429, str(error)) from error


def _header(content: bytes) -> Header:
    try:
        header = read_header(BytesIO(content), len(content))
    except BadTensorFile as error:
        raise Problem(422, f"the file {error}") from error
    if not header.entries:
        raise Problem(422, "the file has no tensors")
    return header


def _view(digest: str, header: Header) -> StartView:
    kind: Literal["capsule", "state dict"] = "capsule" if _is_capsule(header) else "state dict"
    return {
        "digest": digest,
        "kind": kind,
        "tensors": len(header.entries),
        "size_bytes": header.size_bytes,
        "architecture": architecture_of(header.entries) if is_torchvision(header.entries) else None,
    }


def _is_capsule(header: Header) -> bool:
    return header.metadata.get("format") == CAPSULE_FORMAT
