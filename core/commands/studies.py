"""`python -m core studies list|run|report|check|export`: questions without a server. Imports no torch."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from core.catalog.registry import UnknownName
from core.commands.console import clock
from core.commands.exit_codes import DONE, FAILED, STOPPED
from core.commands.forgetting import report_forgetting
from core.machine.files import write_atomically
from core.machine.signals import stop_on
from core.run.handwritten import BadText
from core.run.problems import explain
from core.studies.asked.claim import Asked
from core.studies.asked.question import OwnQuestion, read_question
from core.studies.catalog.table import STUDIES, named_of, study_spec
from core.studies.costs import run_s, study_cost
from core.studies.folder import OtherStudy, StudyFolder
from core.studies.results import in_words, long_csv
from core.studies.runner import Runner, Told
from core.studies.spec import SCALES, Scale, StudySpec, StudyUnavailable, assign
from core.studies.verdicts import judge

ROOM_FOR_TITLES = 110
"""The least width of the terminal, in columns, at which the list of studies says what each is about."""
FILES = (".yaml", ".yml", ".json")
Problem = (StudyUnavailable, OtherStudy, UnknownName, BadText)
"""What can be wrong with a command line; the messages are for a person."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `studies` and its arguments to the command line's parser."""
    studies = commands.add_parser(
        "studies",
        help="the paper's questions and your own: run everything that one needs, and report",
        description="A study runs a grid of trainings with replicates and says whether the claim holds here.",
    )
    words = studies.add_subparsers(dest="study_command", required=True, metavar="list|run|report|check|export")
    words.add_parser("list", help="all studies, with their cost on two cores")
    for name, text in (
        ("run", "train what is missing, one run after another, and report; the same command resumes it after a stop"),
        ("report", "report on the results so far, complete or not"),
    ):
        one = words.add_parser(name, help=text, description=text.capitalize() + ".")
        _add_name(one)
        one.add_argument("--out", type=Path, metavar="DIR", help="default: runs/studies/NAME-SCALE")
        if name == "run":
            one.add_argument("--replicates", type=int, metavar="N", help="another number of replicates")
            one.add_argument(
                "--set",
                action="append",
                default=[],
                metavar="KEY=VALUE",
                help="another value for all runs: --set epochs=2, --set recipe.lr=0.05, --set architecture=resnet-8",
            )
            one.add_argument("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1")
            one.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all cores)")
    for name, text in (
        ("check", "read the file of a question and say what it would run and cost; it starts nothing"),
        ("export", "print a question as YAML, to edit and run from a file"),
    ):
        _add_name(words.add_parser(name, help=text, description=text.capitalize() + "."))


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME|FILE", help=f"a .yaml or .json file, or one of {', '.join(STUDIES)}")
    parser.add_argument("--scale", choices=SCALES, help="of a named study; default: minutes")


def run(arguments: argparse.Namespace) -> int:
    """Do what the command line says. Raises one of Problem."""
    if arguments.study_command == "list":
        return _list(Console())
    study = _wanted(arguments)
    if arguments.study_command == "check":
        return _check(study, Console())
    if arguments.study_command == "export":
        print(_question(study).text(), end="")
        return DONE
    out = arguments.out or Path("runs", "studies", study.study if study.asked else f"{study.study}-{study.scale}")
    if arguments.study_command == "report":
        folder = StudyFolder.read(out) or StudyFolder(out, study)
        if folder.study.study != study.study:
            raise OtherStudy(
                f"{out} holds the study {folder.study.study}, not {study.study}: python -m core studies report "
                f"{folder.study.study} --out {out}"
            )
        _write(folder, Console())
        return DONE
    study = _changed(study, arguments)
    folder = StudyFolder(out, study)
    assert study.members  # raises what is wrong with the grid before anything is written
    try:
        folder.open()
    except OSError as error:
        raise StudyUnavailable(f"cannot write to {out}: {error.strerror}") from error
    words = [*(("--device", arguments.device) if arguments.device else ())]
    words += [*(("--threads", str(arguments.threads)) if arguments.threads else ())]
    return _run(folder, Runner(folder, words), Console())


def _wanted(arguments: argparse.Namespace) -> StudySpec:
    """The study of a name in the catalog, or of a file. Raises one of Problem."""
    name, path = arguments.name, Path(arguments.name)
    if name in STUDIES or path.suffix not in FILES:
        return study_spec(STUDIES[name].name, arguments.scale or SCALES[0])
    if arguments.scale:
        raise StudyUnavailable("--scale is for named studies only; a file already says what it runs")
    try:
        return read_question(path.read_bytes()).study()
    except OSError as error:
        raise StudyUnavailable(f"cannot read {path}: {error.strerror}") from error


def _question(study: StudySpec) -> OwnQuestion:
    """`study` in the words of a file; one of the catalog loses what only the paper has."""
    named = named_of(study)
    fields = {"title": named.title, "question": named.question, "claim": named.asks}
    asked = study.asked or Asked.model_validate(fields)
    return OwnQuestion.of(study.model_copy(update={"asked": asked}))


def _check(study: StudySpec, console: Console) -> int:
    named, cost = named_of(study), study_cost(study)
    console.print(f"[bold]{named.title}[/]", highlight=False)
    for words in filter(None, (named.question, named.claim and f"Claim: {named.claim}")):
        console.print(words, highlight=False)
    console.print(f"{cost.runs} runs: {len(study.settings)} settings, {study.replicates} replicates each")
    console.print(f"about {_time(cost.seconds)} on two cores of a current server; nothing was started")
    return DONE


def _list(console: Console) -> int:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    told = console.width >= ROOM_FOR_TITLES
    for column in ("study", *SCALES, *(("about",) if told else ())):
        table.add_column(column, no_wrap=True)
    for named in STUDIES.values():
        title = (named.title,) if told else ()
        table.add_row(named.name, *(_cost(named.name, scale) for scale in SCALES), *title)
    console.print(table)
    console.print("Times are for two cores of a current server; a machine without bfloat16 takes about twice as long.")
    return DONE


def _cost(name: str, scale: Scale) -> str:
    try:
        cost = study_cost(study_spec(name, scale))
    except StudyUnavailable:
        return "not here"
    return f"{cost.runs} runs, {_time(cost.seconds)}"


def _time(seconds: float) -> str:
    for unit, size in (("years", 3.15e7), ("days", 86_400.0), ("h", 3600.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"


def _changed(study: StudySpec, arguments: argparse.Namespace) -> StudySpec:
    """`study` with the command line's own replicates and values; a value replaces those of an axis."""
    fields: dict[str, Any] = study.model_dump()
    if arguments.replicates is not None:
        if not 1 <= arguments.replicates <= 100:
            raise StudyUnavailable(f"replicates must be 1..100, got {arguments.replicates}")
        fields["replicates"] = arguments.replicates
    for assignment in arguments.set:
        key, equals, text = assignment.partition("=")
        if not equals or not key:
            raise StudyUnavailable(f"--set takes KEY=VALUE, got {assignment!r}")
        axes = {axis["field"]: axis for axis in fields["axes"]}
        if key in axes:
            axes[key]["values"] = [_value(word) for word in text.split(",")]
        elif around := [field for field in axes if f"{field}.".startswith(f"{key}.") or key.startswith(f"{field}.")]:
            raise StudyUnavailable(f"{key} cannot be set, because the study varies {around[0]}: --set {around[0]}=A,B")
        else:
            assign(fields["base"], key, _value(text))
    try:
        changed = StudySpec.model_validate(fields)
    except ValidationError as error:
        raise StudyUnavailable(explain(error)) from error
    return OwnQuestion.of(changed).study() if changed.asked else changed


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _run(folder: StudyFolder, runner: Runner, console: Console) -> int:
    stopped = []

    def stop(number: int, _frame: object) -> None:
        stopped.append(number)
        runner.stop()

    stop_on(stop)
    failed = _follow(folder, runner, console)
    _write(folder, console)
    if not stopped:
        report_forgetting(folder, runner.words, console)
    if stopped:
        console.print("Stopped; the same command resumes from here.")
        return STOPPED
    return FAILED if failed else DONE


def _follow(folder: StudyFolder, runner: Runner, console: Console) -> int:
    """Show the progress of all runs as one. Returns how many failed."""
    members = folder.study.members
    prices = {member.digest: run_s(member.spec) for member in members}
    total, done, over, failed = sum(prices.values()), 0.0, 0, 0
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("preparing", total=total)
        for told in runner.run():
            price = prices[told.member.digest]
            if told.what in ("reused", "finished", "failed"):
                done, over = done + price, over + 1
                failed += told.what == "failed"
                bar.print(_line(told))
            words = f"{over} of {len(members)} runs"
            if failed:
                words += f", {failed} failed"
            bar.update(task, description=words, completed=done + (told.share * price if told.what == "progress" else 0))
    return failed


def _line(told: Told) -> str:
    key = f"{in_words(told.member.key)}, replicate {told.member.replicate}"
    if told.what == "failed":
        return f"[red]failed[/]    {key}: {told.message}"
    return f"{told.what:9} {key}: test top-1 {told.message}"


def _write(folder: StudyFolder, console: Console) -> None:
    """Write report.html and results.csv, and print a summary. Raises StudyUnavailable."""
    from core.documents.study import Page, report  # noqa: PLC0415 - imports Jinja2, for which `count` should not wait

    study, records = folder.study, folder.records()
    failures = {member.digest: reason for member in study.members if (reason := folder.failure(member))}
    verdict = judge(named_of(study).criterion, study, records)
    try:
        write_atomically(folder.folder / "report.html", report(Page(study, records, failures)).encode())
        write_atomically(folder.folder / "results.csv", long_csv(study, records).encode())
    except OSError as error:
        raise StudyUnavailable(f"cannot write to {folder.folder}: {error.strerror}") from error
    wanted = len(study.members)
    trained = sum(record.result.seconds for record in records)
    console.print(f"{len(records)} of {wanted} runs finished ({clock(trained)} of training)")
    console.print(f"[bold]{verdict.words}[/]: {verdict.sentence}")
    console.print(str(folder.folder / "report.html"), soft_wrap=True)
