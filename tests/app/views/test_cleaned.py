"""What strangers read of workers and trainers: no paths, hosts, processes, SQL or traces."""

from __future__ import annotations

import pytest

from app.views.cleaned import cleaned


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Taken by worker box-7.lan-4711-a1b2c3.", "Taken by worker."),
        ("Its worker box-4711-a1b2c3 has died.", "Its worker has died."),
        ("/srv/onlybn/runs/abc/start.safetensors is cut short", "runs/abc/start.safetensors is cut short"),
        ("Put it into /home/anna/data/datasets/cifar-10 and launch.", "Put it into datasets/cifar-10 and launch."),
        ("cannot read /home/anna/secret.txt.", "cannot read secret.txt."),
        (
            "See https://example.org/a/b and γ/β, 3/4 or step 1/2/3.",
            "See https://example.org/a/b and γ/β, 3/4 or step 1/2/3.",
        ),
        (
            "It failed: (psycopg.DataError) no NUL\n[SQL: UPDATE runs SET a=%(a)s]\n[parameters: {'a': 1}]\n",
            "It failed: (psycopg.DataError) no NUL",
        ),
        (
            'It ended. It wrote last: File "/srv/x/core/loop.py", line 3, in run |     ^^^^ | ValueError: no',
            "It ended. It wrote last: ValueError: no",
        ),
        ("The training process was killed (SIGKILL).", "The training process was killed (SIGKILL)."),
    ],
)
def test_only_what_everybody_may_know_stays(text: str, wanted: str) -> None:
    assert cleaned(text) == wanted
