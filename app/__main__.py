"""`python -m app`: starts the store, an embedded worker and the web server; runs until Ctrl-C or SIGTERM.

`python -m app freeze` writes a static site instead. Exit codes: 0 stopped or written; 1 the database does not answer;
2 a setting or an option is wrong, or the port is taken.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from textwrap import fill
from types import FrameType

from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from app.freeze.arguments import freeze_parser
from app.settings import Settings
from app.web.listen import LOG, PortTaken, listen, run
from app.worker_process import EmbeddedWorker
from core.machine.signals import stop_on
from jobs import logs
from jobs.backup.bucket import Bucket, Snapshots
from jobs.backup.rows import Damaged
from jobs.queue import make_queue, waker
from jobs.settings import explain
from jobs.store.database import open_database
from jobs.store.examples import BadExample, names, shipped
from jobs.store.schema import WrongSchema
from jobs.store.store import Store

STOPPED, UNREACHABLE, BAD_SETTINGS, INTERRUPTED = 0, 1, 2, 130


class CannotStart(Exception):
    """The server cannot start; the message tells a person why."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


interrupted = threading.Event()
"""Whether a signal asked this process to stop. A library that is being imported may swallow the KeyboardInterrupt."""


def interrupt(number: int, frame: FrameType | None) -> None:
    if number not in (signal.SIGINT, signal.SIGTERM):  # the server knows these two: it answers what it has begun
        signal.raise_signal(signal.SIGTERM)
        return
    interrupted.set()
    signal.default_int_handler(number, frame)


def main() -> int:
    words = sys.argv[1:]
    freezes = words[:1] == ["freeze"]
    given = (freeze_parser() if freezes else _parser()).parse_args(words[freezes:])
    # Every signal to stop acts like Ctrl-C at every moment, so that the embedded worker is always stopped on exit.
    stop_on(interrupt)
    try:
        settings = Settings()
    except ValidationError as error:
        print(f"error: {explain(error)}", file=sys.stderr)
        return BAD_SETTINGS
    try:
        if freezes:
            return write_site(settings, given)
        with suppress(KeyboardInterrupt):
            serve(settings)
    except CannotStart as error:
        logs.say(settings, f"error: {error}", trouble=True)
        return error.code
    logs.say(settings, "OnlyBN has stopped.")
    return STOPPED


def _parser() -> argparse.ArgumentParser:
    told = ["Settings are environment variables:"]
    for name, field in Settings.model_fields.items():
        told.append(f"  ONLYBN_{name.upper()}")
        told.append(fill(field.description or "", 100, initial_indent=" " * 6, subsequent_indent=" " * 6))
    return argparse.ArgumentParser(
        prog="python -m app",
        description="The web server, with its own worker. `python -m app freeze --help` tells how to write its\n"
        "finished runs as a static site that needs no server.",
        epilog="\n".join(told),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def write_site(settings: Settings, given: argparse.Namespace) -> int:
    """`python -m app freeze`. Raises CannotStart."""
    from app.freeze.command import command  # noqa: PLC0415

    console = Console(stderr=True)
    try:
        with open_store(settings) as store:
            settle_examples(store, settings.examples)
            return command(settings, store, given.out, given.filter, console)
    except KeyboardInterrupt:
        console.print("Stopped; the folder is as it was.")
        return INTERRUPTED
    except (ValueError, WrongSchema) as error:
        raise CannotStart(str(error), BAD_SETTINGS) from error
    except DBAPIError as error:
        raise CannotStart(f"the database does not respond: {str(error.orig).strip()}", UNREACHABLE) from error
    except OSError as error:
        raise CannotStart(f"cannot write the site: {error}", BAD_SETTINGS) from error


def serve(settings: Settings) -> None:
    """Run until a signal raises KeyboardInterrupt. Raises CannotStart."""
    logging.basicConfig(format=LOG, level=logging.WARNING)
    logs.shape(settings, LOG)
    with ExitStack() as stack:
        try:
            listener = stack.enter_context(listen(settings.host, settings.port))
            bring_back(settings)
            store = stack.enter_context(open_store(settings))
            wake = waker(make_queue(settings))
        except (ValueError, PortTaken, WrongSchema) as error:
            raise CannotStart(str(error), BAD_SETTINGS) from error
        except DBAPIError as error:
            raise CannotStart(f"the database does not respond: {str(error.orig).strip()}", UNREACHABLE) from error
        except OSError as error:
            raise CannotStart(f"cannot keep anything in {settings.data}: {error.strerror}", BAD_SETTINGS) from error
        settle_examples(store, settings.examples, partial(logs.say, settings, trouble=True))
        stack.enter_context(snapshots(settings, store))
        stack.enter_context(embedded_worker(settings))
        serve_pages(settings, store, wake, listener)


def bring_back(settings: Settings) -> None:
    """Put the newest copy in the bucket into a data folder that has no database. Raises ValueError and OSError."""
    if settings.snapshot is None:
        return
    database = open_database(settings.store_url)
    try:
        if database.file is None:
            raise ValueError("ONLYBN_SNAPSHOT is for SQLite; PostgreSQL has its own backups")
        if not database.file.exists() and (name := Bucket(settings.snapshot).restore(database)):
            logs.say(settings, f"The database was restored from {settings.snapshot / name}")
    except Damaged as error:
        raise ValueError(f"the copy in {settings.snapshot} cannot be used: {error}") from error
    finally:
        database.close()


@contextmanager
def snapshots(settings: Settings, store: Store) -> Iterator[None]:
    """Copy the database into the bucket while inside the context, and at its end, if the settings name one."""
    if settings.snapshot is None:
        yield
        return
    copying = Snapshots(Bucket(settings.snapshot), store.database, settings.data, settings.snapshot_every_s)
    copying.start()
    try:
        yield
    finally:
        copying.stop()


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """Open the store and bring its tables up to date."""
    store = Store(open_database(settings.store_url), settings.artefacts_place)
    try:
        store.migrate()
        yield store
    finally:
        store.close()


def _warn(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def settle_examples(store: Store, wanted: bool, say: Callable[[str], object] = _warn) -> None:
    """Add the shipped runs that have never been here, or, if they are not `wanted`, remove those that are here.

    The server works without them, so an error is only said.
    """
    try:
        if not wanted:
            for run in store.examples.all():
                if reason := store.runs.remove(run.id):
                    say(f"The example {run.id} stays: {reason}")
        elif store.examples.unseen(names()):
            store.examples.take_in(shipped())
    except (BadExample, DBAPIError) as error:
        say(f"The examples are left unchanged: {error}")


@contextmanager
def embedded_worker(settings: Settings) -> Iterator[None]:
    """Run a worker of our own inside the context, if the settings want one."""
    worker = EmbeddedWorker(say=partial(logs.say, settings, trouble=True))
    if settings.embedded_worker:
        worker.start()
    try:
        yield
    finally:
        worker.stop()


def serve_pages(settings: Settings, store: Store, wake: Callable[[str], object], listener: socket.socket) -> None:
    """Serve the pages and routes on `listener` until a signal comes."""
    # Gradio reads both when it is imported or first used. This site sends no data to others.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    # Gradio takes seconds to import, so errors in the settings are reported and the worker is started before.
    from app.pages import site  # noqa: PLC0415
    from app.pages.options import options  # noqa: PLC0415
    from app.server import make_app, mount_pages, rules_of  # noqa: PLC0415
    from app.views.questions import prepare  # noqa: PLC0415

    app = make_app(settings, store, wake, options)
    mount_pages(app, site.build(), settings, site.mount_options())
    stopping = threading.Event()
    preparation = threading.Thread(target=prepare, args=(stopping.is_set,), name="prepare")

    def ready() -> None:
        logs.say(settings, f"OnlyBN is at {settings.url}  (Ctrl-C stops it)")
        preparation.start()

    try:
        if interrupted.is_set():
            raise KeyboardInterrupt
        run(app, listener, ready, rules_of(settings).headers)
    finally:  # Python must not exit while the thread computes
        stopping.set()
        if preparation.is_alive():
            preparation.join()


if __name__ == "__main__":
    sys.exit(main())
