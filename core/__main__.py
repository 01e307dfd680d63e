"""`python -m core train|count|capsule|compute|studies`: the app's engine on the command line, without the app.

torchrun starts several such processes for one run; only the first prints and writes, the others just train.

Exit codes: 0 done, 1 the run failed, 2 bad arguments, 130 stopped by a signal (the same command resumes it).
"""

from __future__ import annotations

import argparse
import os
import sys

from core.commands import count, studies, train
from core.commands.arguments import BadArguments, check_threads, one_file, parser
from core.commands.exit_codes import BAD_ARGUMENTS, FAILED
from core.machine.part import Part
from core.machine.threads import spin_briefly
from core.run.events import Failed
from core.run.journal import OtherRun


def main() -> int:
    arguments = parser().parse_args()
    try:
        return COMMANDS[arguments.command](arguments)
    except (BadArguments, OtherRun, *studies.Problem) as error:
        print(f"error: {error}", file=sys.stderr)
        part = Part.of_this_process()
        if part.first and not part.alone and getattr(arguments, "events", None):  # torchrun swallows the exit code
            train.print_lines(iter([Failed(step=0, kind="error", message=str(error))]))
        return BAD_ARGUMENTS
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads any more: no traceback at exit
        return FAILED


def capsule(arguments: argparse.Namespace) -> int:
    check_threads(arguments)
    spin_briefly()
    from core.commands import adapt, capsule, link, packs, surgery  # noqa: PLC0415 - import torch

    others = {
        "surgery": surgery.run,
        "adapt": adapt.run,
        "link": link.link,
        "qr": link.qr_code,
        "open": link.opened,
    }
    try:
        if arguments.action == "pack":
            return packs.make(arguments)
        arguments.file = one_file(arguments)
        if packs.is_one(arguments):
            return packs.run(arguments)
        return others.get(arguments.action, capsule.run)(arguments)
    except capsule.REFUSALS as error:
        raise BadArguments(str(error)) from error


def compute(arguments: argparse.Namespace) -> int:
    check_threads(arguments)
    spin_briefly()
    from core.commands import compute  # noqa: PLC0415 - imports torch

    try:
        return compute.run(arguments)
    except compute.REFUSALS as error:
        raise BadArguments(str(error)) from error


COMMANDS = {"train": train.run, "count": count.run, "capsule": capsule, "compute": compute, "studies": studies.run}


if __name__ == "__main__":
    code = main()
    if not Part.of_this_process().alone:
        # Threads of the process group can abort an interpreter that is being torn down.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
