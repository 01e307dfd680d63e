"""Every page of the site in every state: what is in the stores of four servers, and the way to each state.

Eyes look at them (`shots`), and axe (`test_access`). The curves of `filled` are the puppet's: they show the page, not
science. `fresh` has the examples that come with the project, `empty` nothing, `working` a run that a worker trained.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Page, expect

from core.studies.asked.question import question_of
from core.studies.catalog.table import study_spec
from tests.browser.conftest import ADMIN_TOKEN
from tests.browser.puppet import Puppet
from tests.browser.waits import keys_listen

EVALUATED_WITHIN_MS = 90_000
SiteName = Literal["filled", "fresh", "empty", "working"]


QUESTION = {
    "title": "Do scales beat random weights?",
    "question": "Is what trains more important than how much of it trains?",
    "claim": {"kind": "beats", "value": "batchnorm", "margin": 5},
    "base": {"architecture": "resnet-14", "dataset": "digits", "epochs": 12},
    "vary": {"policy": ["batchnorm", "random-2", "output"]},
}
"""A question of a visitor's own."""


def nothing(_: Page) -> None:
    """The state is there once the page is."""


@dataclass(frozen=True)
class State:
    """A page at `path` of a site, once `act` has done there what a person does to come to the state."""

    path: str
    site: SiteName = "filled"
    act: Callable[[Page], None] = nothing


@dataclass(frozen=True)
class Runs:
    """What `fill` has put into the store. `tokens`: of those that the visitor launched."""

    finished: list[str]
    failed: str
    cancelled: str
    running: str
    queued: str
    plain: str
    study: str
    question: str
    tokens: Mapping[str, str]


def fill(puppet: Puppet) -> Runs:
    """Runs in every state."""
    tokens: dict[str, str] = {}
    own, tokens[own] = puppet.start(name="The first of our own")
    puppet.finish(own)
    done = [
        own,
        puppet.done(policy="random-2"),
        puppet.done(policy="output"),
        puppet.done(policy="all", architecture="resnet-20", epochs=8),
        puppet.done(policy="batchnorm+output", architecture="resnet-32", name="With the classifier"),
        *(puppet.done(replicate=k) for k in range(1, 4)),
    ]
    plain = puppet.done(policy="all", dataset="cifar-100", norm={"affine": False}, recipe={"schedule": "cosine"})
    study = puppet.store.studies.launch(study_spec("random-k", "minutes")).id
    question = puppet.store.studies.launch(question_of(QUESTION).study()).id
    for waiting in puppet.store.queue.waiting():
        puppet.claim(waiting)
        puppet.finish(waiting)
    failed, tokens[failed] = puppet.start(architecture="wrn-14-4", policy="all", recipe={"lr": 50})
    puppet.advance(failed, 0.3)
    puppet.fail(failed, "diverged", "The loss became infinite at step 43. A smaller learning rate usually helps.")
    cancelled, tokens[cancelled] = puppet.start(architecture="resnet-56")
    puppet.advance(cancelled, 0.5)
    puppet.store.runs.cancel(cancelled)
    puppet.obey_cancel(cancelled)
    running, tokens[running] = puppet.start(architecture="resnet-110", dataset="fashion-mnist", name="Deep and frozen")
    puppet.advance(running, 0.62)
    queued, tokens[queued] = puppet.submit(policy="random-8")
    return Runs(done, failed, cancelled, running, queued, plain, study, question, tokens)


def remember(page: Page, runs: Runs) -> None:
    """Make the visitor the one who launched the runs."""
    for run_id, token in runs.tokens.items():
        page.add_init_script(f"localStorage.setItem('onlybn.owner.{run_id}', {json.dumps(token)})")


def pages(runs: Runs, trained: str) -> dict[str, State]:
    """All there is, by name. `trained`: the run of the site that works."""
    own, pair = runs.finished[0], ",".join(runs.finished[:2])
    four, every = ",".join(runs.finished[:4]), ",".join([*runs.finished, runs.running, runs.failed])
    surgery = f"/surgery?run={trained}"
    edited = f"{surgery}&eps=0.3&edits=zero:stem.norm:1,4;flip:stage1.0.norm1&layer=stem.norm"
    return {
        "train-first-visit": State("/", "fresh"),
        "train-empty": State("/", "empty"),
        "train": State("/"),
        **{f"train-{name}": State(f"/train?{query}") for name, query in TRAIN.items()},
        "train-asking": State("/train", act=ask),
        "run-queued": State(f"/run?id={runs.queued}"),
        "run-running": State(f"/run?id={runs.running}"),
        "run-finished": State(f"/run?id={own}"),
        "run-layers": State(f"/run?id={own}&now=ridge&over=layers&step=20"),
        "run-extend": State(f"/run?id={own}", act=lambda page: click(page, "summary", "Extend")),
        "run-downloads": State(f"/run?id={own}", act=lambda page: click(page, "summary", "Download")),
        "run-labels": State(f"/run?id={own}", act=lambda page: click(page, "button", "Rename, tag")),
        "run-figure": State(f"/run?id={own}&embed=1&figure=accuracy"),
        "run-without-gamma": State(f"/run?id={runs.plain}"),
        "run-failed": State(f"/run?id={runs.failed}"),
        "run-cancelled": State(f"/run?id={runs.cancelled}"),
        "run-unknown": State("/run?id=nosuchrun1234"),
        "run-embedded": State(f"/run?id={own}&embed=1"),
        "runs-first-visit": State("/runs", "fresh"),
        "runs-empty": State("/runs", "empty"),
        "runs": State("/runs"),
        "runs-ticked": State(f"/runs?compare={pair}"),
        "compare-figure": State(f"/compare?runs={four}&embed=1&figure=curves"),
        "runs-grouped": State("/runs?group=study"),
        "runs-nothing-found": State("/runs?text=nothing+has+this+name"),
        "runs-embedded": State("/runs?embed=1"),
        "compare-nothing": State("/compare"),
        "compare-four": State(f"/compare?runs={four}&base={own}"),
        "compare-many": State(f"/compare?runs={every},nosuchrun1234&base={own}&colour=red"),
        "compare-grouped": State(f"/compare?runs={every}&group=policy&smooth=0.6&singles=1"),
        "compare-columns": State(f"/compare?runs={four}", act=lambda page: click(page, "summary", "Columns")),
        "compare-question": State(f"/compare?study={runs.question}&group=policy"),
        "compare-embedded": State(f"/compare?runs={four}&embed=1"),
        "surgery-which": State("/surgery", "working"),
        "surgery": State(surgery, "working"),
        "surgery-evaluated": State(edited, "working", evaluate),
        "surgery-image": State(edited, "working", look),
        "surgery-adapted": State(surgery, "working", adapt),
        "tasks-which": State("/tasks"),
        "tasks-nothing": State("/tasks", "empty"),
        "room-opening": State("/room"),
        "room": State("/room", act=enter),
        "paper": State(f"/paper?study={runs.study}"),
        "paper-empty": State("/paper", "empty"),
        "findings": State("/findings"),
        "about": State("/about"),
        "admin-sign-in": State("/admin", act=sign_out),
        "admin": State("/admin", act=sign_in),
        "keys": State("/about", act=keys),
        "share": State(f"/run?id={own}", act=share),
        "deleted": State("/runs", act=deleted),
        "nowhere": State("/nowhere"),
        "api-docs": State("/api/docs"),
    }


TRAIN = {
    "deep": "architecture=resnet-866&policy=batchnorm&dataset=cifar-10&epochs=160",
    "random": "architecture=resnet-56&policy=random-16&dataset=fashion-mnist&epochs=4&train_examples=12800",
    "all": "architecture=wrn-14-4&policy=all&dataset=cifar-10&epochs=20",
    "stages": "architecture=imagenet-resnet-50&policy=batchnorm-stages-0-2&dataset=cifar-10&epochs=90",
    "layers": "architecture=imagenet-resnet-200&policy=batchnorm%2Boutput&dataset=cifar-10&epochs=90",
    "supermask": "architecture=vgg-16&policy=supermask-30&dataset=cifar-100&epochs=160&schedule=cosine",
    "gamma": "architecture=resnet-14&policy=gamma&dataset=digits&epochs=30&norm.kind=group",
    "refused": "architecture=resnet-15&policy=batchnorm&dataset=digits&epochs=3",
}
"""Forms, by what is special about them."""


def settle(page: Page) -> None:
    """Wait for everything that a page shows without being asked."""
    page.wait_for_selector(".site-header:visible, .frame-bar:visible")
    page.wait_for_selector(
        ".latest :is(li, [data-slot=empty]):visible, .gallery-cards li:visible, .run-line, .blank, "
        ".questions, .finding, .runs-list :is(tr, p):visible, .compare-table tbody tr, .compare-empty, "
        ".counts tbody tr, .layer-table, .room-form, .one-figure, [data-embed=figure] .legend-list li, "
        ".docs, .admin-sign-in, .admin-queue, .preview:not([data-state=asking])"
    )


def ask(page: Page) -> None:
    """A question with two fields and an error at one of them."""
    page.locator("#ask summary").first.click()
    page.get_by_role("button", name="Add a field").click()
    expect(page.locator(".asking-summary[data-state='ready']")).to_be_visible()
    page.locator("#ask").get_by_label("Claim", exact=True).select_option("same")
    expect(page.locator("#ask .asking-problem:visible")).to_be_visible()


def click(page: Page, selector: str, words: str) -> None:
    page.locator(selector, has_text=words).first.click()


def enter(page: Page) -> None:
    """Open a room and join it."""
    page.get_by_role("button", name="Open the room").click()
    page.get_by_label("Nickname").fill("Ada")
    page.get_by_role("button", name="Join").click()
    expect(
        page.get_by_role("button", name="Run it").or_(page.get_by_role("link", name="Build your own run")).first
    ).to_be_visible()


def sign_in(page: Page) -> None:
    if not page.evaluate("sessionStorage.getItem('onlybn.admin')"):
        page.get_by_label("Admin token").fill(ADMIN_TOKEN)
        page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".admin-runs tbody tr").first).to_be_visible()


def sign_out(page: Page) -> None:
    if page.get_by_role("button", name="Sign out").is_visible():
        page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Admin token")).to_be_visible()


def evaluate(page: Page) -> None:
    page.locator(".measure .primary").click()
    expect(page.locator('[data-slot="result"]:not(.stale)')).to_be_visible(timeout=EVALUATED_WITHIN_MS)


def adapt(page: Page) -> None:
    page.locator(".adapt").scroll_into_view_if_needed()
    expect(page.locator(".sights canvas")).to_have_count(12, timeout=EVALUATED_WITHIN_MS)
    page.get_by_text("Settings", exact=True).click()
    page.get_by_role("button", name="Adapt", exact=True).click()
    expect(page.locator('[data-slot="adapted"] tbody tr')).to_have_count(1, timeout=EVALUATED_WITHIN_MS)
    page.locator(".adapted .data summary").click()


def look(page: Page) -> None:
    page.get_by_label("Image number").fill("3")
    page.get_by_role("button", name="Classify").click()
    expect(page.locator('[data-slot="looked"]')).to_contain_text("Label", timeout=EVALUATED_WITHIN_MS)


def keys(page: Page) -> None:
    keys_listen(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def hear_keys(page: Page) -> None:
    """Wait until the page listens to its keys: the module listens once it is there."""
    page.evaluate("import('/static/site/keys.js').then(() => true)")


def share(page: Page) -> None:
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def deleted(page: Page) -> None:
    """What the page of all runs says after a deletion; nothing is deleted for it."""
    run = json.dumps({"id": "nosuchrun1234", "name": "A run that was a mistake"})
    page.evaluate("run => sessionStorage.setItem('onlybn.removed', run)", run)
    page.reload()
    expect(page.locator(".toast")).to_be_visible()
