"""`python -m core count`: parameters and multiply-adds of a network, without building it. Imports no torch."""

from __future__ import annotations

import argparse
import json

from core.catalog import architectures
from core.catalog.policies import policy
from core.commands.arguments import BadArguments
from core.commands.exit_codes import DONE
from core.run import cost


def run(arguments: argparse.Namespace) -> int:
    """Print the counts. Raises BadArguments."""
    for name in ("classes", "channels", "size"):
        if not 1 <= getattr(arguments, name) <= 10_000:
            raise BadArguments(f"{name} must be 1..10000, got {getattr(arguments, name)}")
    try:
        shape = (arguments.channels, arguments.size, arguments.size)
        plan = architectures.plan(arguments.architecture, shape, arguments.classes)
        counts = cost.counts(plan, policy(arguments.policy).trains(plan))
    except ValueError as error:
        raise BadArguments(str(error)) from error
    rows = {**counts.model_dump(), "macs_per_image": plan.macs}
    if arguments.json:
        print(json.dumps(rows))
    else:
        for name, value in rows.items():
            print(f"{name.replace('_', ' '):>15} {value:>16,}")
    return DONE
