"""The one Jinja2 environment: it escapes everything that a template prints, and refuses undefined names.

A template lies beside the module that fills it, and its name is its path in the project. Templates write
numbers with the filters of `core.documents.numbers`. Imports no torch.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.documents.numbers import FILTERS
from core.version import VERSION

ROOT = Path(__file__).parents[2]


def digest(text: str) -> str:
    """The hash by which a Content-Security-Policy allows exactly this script or style sheet."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


_environment = Environment(
    loader=FileSystemLoader(ROOT),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_environment.filters |= FILTERS | {"digest": digest}
_environment.globals["version"] = VERSION


def render(template: str, **values: object) -> str:
    """The HTML that `template` ("core/documents/study.html.j2") makes of `values`."""
    return _environment.get_template(template).render(values)
