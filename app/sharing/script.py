"""A run as a Python script, and as a notebook: its curves with their data, drawn with plotly, and how to repeat it.

The script contains its data and needs nothing of this project. No requests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from app.preview.preview import command_line
from app.sharing.wording import from_browser, name_of
from jobs.store.records import Run

DRAW = '''
def read():
    """{split: {column: [numbers]}}"""
    curves = {}
    for row in csv.DictReader(io.StringIO(DATA)):
        curve = curves.setdefault(row["split"], {"epoch": [], "top1": [], "loss": []})
        for column in curve:
            curve[column].append(float(row[column]) if row[column] else None)
    return curves


def figure(column, title):
    made = go.Figure()
    for split, width in (("train", 1.2), ("test", 2.4)):
        if split in CURVES:
            made.add_scatter(x=CURVES[split]["epoch"], y=CURVES[split][column], name=split, line_width=width)
    made.update_layout(template="plotly_white", title=NAME, xaxis_title="epoch", yaxis_title=title)
    return made


CURVES = read()
'''


def parts(run: Run, points: Iterable[str], link: str) -> list[str]:
    """The parts of the script, in order: imports and data, functions, figures. `points`: pieces of the CSV file."""
    data = "".join(points).replace("\r\n", "\n")
    assert '"""' not in data and "\\" not in data, "numbers and names of splits only"
    head = (
        f"import csv\nimport io\n\nimport plotly.graph_objects as go\n\n"
        f"NAME = {json.dumps(name_of(run), ensure_ascii=False)}\nLINK = {json.dumps(link)}\n"
        f'DATA = """\\\n{data}"""\n'
    )
    return [head, DRAW.strip() + "\n", 'figure("top1", "accuracy").show()\n', 'figure("loss", "loss").show()\n']


def again(run: Run) -> str:
    """How to train the run again: two lines, and a third if a browser trained it."""
    return f"To train it again, in a checkout of OnlyBN:\n{command_line(run.spec)}{_trained(run)}"


def _trained(run: Run) -> str:
    words = from_browser(run).strip()
    return f"\n{words}" if words else ""


def script(run: Run, points: Iterable[str], link: str) -> str:
    """The curves of a run as a program."""
    comment = "\n".join(f"# {line}".rstrip() for line in again(run).splitlines())
    opening = "# Training curves of an OnlyBN run, drawn with plotly (pip install plotly).\n#\n"
    return opening + comment + "\n\n" + "\n\n".join(parts(run, points, link))


def notebook(run: Run, points: Iterable[str], link: str) -> dict[str, Any]:
    """The same as a Jupyter notebook, format 4.5."""
    title = f"# {name_of(run)}\n\nTraining curves of an OnlyBN run: <{link}>. The code needs plotly.\n"
    opening, command, *more = again(run).split("\n")
    told = "\n".join((f"{opening}\n\n```\n{command}\n```\n", *more))
    cells = [("markdown", title), *(("code", part) for part in parts(run, points, link)), ("markdown", told)]
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        },
        "cells": [_cell(f"cell-{place}", kind, text) for place, (kind, text) in enumerate(cells)],
    }


def _cell(name: str, kind: str, text: str) -> dict[str, Any]:
    cell = {"id": name, "cell_type": kind, "metadata": {}, "source": text.rstrip("\n").splitlines(keepends=True)}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})
