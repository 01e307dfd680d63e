"""The page of the operator, and reports of offensive names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from jobs.quotas import Asker
from tests.browser.conftest import ADMIN_TOKEN, Open, Watch
from tests.browser.puppet import Puppet


@pytest.fixture
def open_page(public_opener: tuple[Open, Watch]) -> Open:
    return public_opener[0]


@pytest.fixture
def watch(public_opener: tuple[Open, Watch]) -> Watch:
    return public_opener[1]


@pytest.fixture(autouse=True)
def opened_again(public_puppet: Puppet) -> Iterator[None]:
    yield
    public_puppet.store.switch.turn("open")


def enter(page: Page, token: str = ADMIN_TOKEN) -> None:
    """Sign in with the keyboard alone: the field has the focus."""
    expect(page.get_by_label("Admin token")).to_be_focused()
    page.keyboard.type(token)
    page.keyboard.press("Enter")


def admin(open_page: Open) -> Page:
    page = open_page("/admin")
    enter(page)
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    return page


def said(page: Page, words: str) -> None:
    expect(page.locator(".toast").filter(has_text=words).last).to_be_visible()


def test_the_token_is_asked_for_once_and_stays_in_the_tab(open_page: Open, watch: Watch) -> None:
    watch.expected.append("403")
    page = open_page("/admin")
    admin_link = page.get_by_role("navigation", name="Pages").get_by_role("link", name="Admin")
    expect(admin_link).to_be_hidden()
    for wrong in ("not the token of the admin", "žluťoučký kůň je token"):
        enter(page, wrong)
        expect(page.get_by_role("alert").filter(has_text="This is not the admin token")).to_be_visible()
        page.get_by_label("Admin token").fill("")
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    enter(page)
    expect(page.get_by_role("heading", name="Reported names")).to_be_visible()
    expect(admin_link).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    assert not any("token" in address for address in [*addresses, page.url])
    assert ADMIN_TOKEN not in page.evaluate("JSON.stringify({...localStorage}) + document.cookie")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Admin token")).to_be_visible()
    expect(admin_link).to_be_hidden()
    page.reload()
    expect(page.get_by_label("Admin token")).to_be_visible()


def test_the_field_has_the_focus_though_the_page_was_hidden_at_first(open_page: Open) -> None:
    """As on a slow line: the page stays hidden until its style sheet is there."""
    page = open_page("/about")
    held: list[Route] = []
    page.route("**/static/site.css", lambda route: held.append(route))
    page.goto(page.url.replace("/about", "/admin"), wait_until="commit")
    field = page.locator("#admin-token")
    field.wait_for(state="attached")
    expect(field).not_to_be_focused()
    held[0].continue_()
    expect(field).to_be_focused()


def test_the_queue_is_turned_with_the_keyboard_and_visitors_hear_of_it(open_page: Open, public_puppet: Puppet) -> None:
    public_puppet.hello()
    page, visitor = admin(open_page), open_page("/train")
    queue = page.get_by_role("region", name="Queue")
    expect(queue).to_contain_text("The queue is open")
    expect(queue).to_contain_text("of 5.0\u202fGB used")
    expect(queue).to_contain_text("No run has been deleted to free disk space yet.")
    expect(queue.get_by_label("Workers")).to_contain_text("training 0 of 1")
    pause = queue.get_by_role("button", name="Pause")
    pause.focus()
    page.keyboard.press("Enter")
    said(page, "The queue is paused: no new runs start")
    expect(pause).to_have_attribute("aria-pressed", "true")
    expect(pause).to_be_focused()
    assert public_puppet.store.switch.mode() == "paused"
    visitor.reload()
    share = visitor.locator('[data-slot="launch-share"]')
    expect(share).to_contain_text("The queue is paused. Queued runs will start when it reopens.")
    public_puppet.hello()
    runs = open_page("/runs", page=visitor)
    expect(runs.get_by_role("status").filter(has_text="The queue is paused")).to_be_visible()
    queue.get_by_role("button", name="Drain").click()
    said(page, "new runs are refused")
    train = open_page("/train", page=visitor)
    expect(share).to_contain_text("This server accepts no new runs until")
    train.get_by_role("button", name="Launch", exact=True).click(force=True)
    expect(train.locator('[data-slot="launch-problem"]')).to_contain_text("accepts no new runs until")
    queue.get_by_role("button", name="Open").click()
    said(page, "The queue is open")
    open_page("/train", page=visitor)
    expect(share).to_contain_text("You have left")


def test_the_troubles_of_a_worker_are_said(open_page: Open, public_puppet: Puppet) -> None:
    from jobs.worker.fitness import Fit

    store, me = public_puppet.store, public_puppet.identity
    store.workers.hello(me, 1, None, Fit("It takes no runs: its disk is full."))
    page = admin(open_page)
    expect(page.get_by_label("Workers")).to_contain_text("It takes no runs: its disk is full.")
    public_puppet.hello()


def test_runs_are_renamed_pinned_removed_and_restored(open_page: Open, public_puppet: Puppet, watch: Watch) -> None:
    watch.expected.append("422")
    run_id = public_puppet.done(name="Rude words")
    public_puppet.done(name="Another one")
    page = admin(open_page)
    page.get_by_role("region", name="Runs").get_by_label("Find by name or id").fill("Rude")
    rows = page.locator(".admin-runs tbody tr")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Rename “Rude words”").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("New name of Rude words")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Rename “Rude words”")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("<b>")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="name")).to_be_visible()
    page.get_by_label("New name of Rude words").fill("Kind words")
    page.keyboard.press("Enter")
    said(page, f"Run {run_id} is now called “Kind words”.")
    page.get_by_label("Find by name or id").fill(run_id)
    row = rows.filter(has_text="Kind words")
    expect(row).to_have_count(1)
    row.get_by_role("button", name="Pin").click()
    said(page, "is pinned and will never be deleted")
    expect(row.get_by_role("button", name="Unpin")).to_be_focused()
    run = public_puppet.store.runs.get(run_id)
    assert run and run.pinned and run.spec.name == "Kind words"
    seen = open_page(f"/run?id={run_id}")
    expect(seen.locator('[data-slot="kept"]')).to_have_text("Pinned by the operator: it is never deleted.")
    row.get_by_role("button", name="Unpin").click()
    row.get_by_role("button", name="Delete").click()
    said(page, "was deleted. You can restore it for an hour")
    expect(row).to_contain_text("deleted")
    assert public_puppet.store.runs.get(run_id) is None
    row.get_by_role("button", name="Restore").click()
    said(page, f"Run {run_id} was restored.")
    expect(row.get_by_role("button", name="Delete")).to_be_visible()
    row.get_by_role("button", name="Delete").click()
    expect(row.get_by_role("button", name="Restore")).to_be_visible()
    page.get_by_role("button", name="Undo").last.click()
    expect(row.get_by_role("button", name="Delete")).to_be_visible()
    assert public_puppet.store.runs.get(run_id)


def test_a_name_is_reported_without_a_login_and_settled_by_the_admin(open_page: Open, public_puppet: Puppet) -> None:
    rude, harmless = public_puppet.done(name="Offensive"), public_puppet.done(name="Harmless")
    nameless = public_puppet.done()
    visitor = open_page(f"/run?id={rude}")
    visitor.get_by_role("button", name="Report this name").click()
    said(visitor, "Reported, thank you.")
    visitor.reload()
    expect(visitor.get_by_role("button", name="Name reported")).to_have_attribute("aria-disabled", "true")
    other = open_page(f"/run?id={rude}")
    other.get_by_role("button", name="Report this name").click()
    said(other, "Reported, thank you.")
    open_page(f"/run?id={harmless}", page=other)
    other.get_by_role("button", name="Report this name").click()
    said(other, "Reported, thank you.")
    open_page(f"/run?id={nameless}", page=other)
    expect(other.get_by_role("link", name="Change and run again")).to_be_visible()
    expect(other.get_by_role("button", name="Report this name")).to_be_hidden()

    page = admin(open_page)
    reports = page.get_by_role("region", name="Reported names")
    expect(reports.get_by_role("listitem").first).to_contain_text("Offensive reported by 2 visitors")
    reports.get_by_role("button", name="Dismiss: “Harmless”").click()
    said(page, "1 report of “Harmless” dismissed: the name stays.")
    reports.get_by_role("button", name="Remove the name: “Offensive”").click()
    said(page, f"Run {rude} no longer has a name.")
    expect(reports).to_contain_text("No names have been reported.")
    run = public_puppet.store.runs.get(rude)
    assert run and run.spec.name is None


def test_within_a_frame_of_another_site_it_shows_nothing(open_page: Open, public_site_url: str) -> None:
    page = open_page("/about")
    page.evaluate(
        "url => { const frame = document.createElement('iframe'); frame.src = url; document.body.append(frame) }",
        public_site_url + "/admin",
    )
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("This page does not work inside another page")).to_be_visible()
    expect(frame.get_by_label("Admin token")).to_have_count(0)


@pytest.fixture
def public_site_url(public_opener: tuple[Open, Watch]) -> str:
    return public_opener[1].url


def test_a_note_a_tag_a_nickname_and_a_title_are_reported_and_removed(open_page: Open, public_puppet: Puppet) -> None:
    store = public_puppet.store
    run_id = public_puppet.done()
    store.labels.change(run_id, {"note": "Rude\n<b>words</b>", "tags": ["rude", "depth"]})
    room, _ = store.rooms.open("Rude title", None, Asker("eve", "home"))
    store.rooms.join(room.id, "Rudolf", Asker("eve", "home"))

    visitor = open_page(f"/run?id={run_id}")
    visitor.get_by_role("button", name="Report this note").click()
    said(visitor, "Reported, thank you.")
    visitor.get_by_role("button", name="Report a tag").click()
    visitor.get_by_role("group", name="Choose what to report").get_by_role("button", name="rude").click()
    expect(visitor.get_by_role("button", name="rude: reported")).to_have_attribute("aria-disabled", "true")
    visitor.reload()
    expect(visitor.get_by_role("button", name="Note reported")).to_have_attribute("aria-disabled", "true")
    open_page(f"/room?id={room.id}", page=visitor)
    visitor.get_by_role("button", name="Report this title").click()
    visitor.get_by_role("button", name="Report a nickname").click()
    visitor.get_by_role("group", name="Choose what to report").get_by_role("button", name="Rudolf").click()
    expect(visitor.get_by_role("button", name="Rudolf: reported")).to_be_visible()

    page = admin(open_page)
    texts = page.get_by_role("region", name="Reported notes, tags, nicknames and rooms")
    expect(texts.get_by_role("listitem")).to_have_count(4)
    expect(texts).to_contain_text("Rude\n<b>words</b>")
    for kind, text in (("note", "Rude <b>words</b>"), ("tag", "rude"), ("nickname", "Rudolf")):
        texts.get_by_role("button", name=f"Remove the {kind}: “{text}”", exact=True).click()
        said(page, f"The {kind} was removed.")
    texts.get_by_role("button", name="Dismiss: “Rude title”").click()
    said(page, "Dismissed: the title stays.")
    expect(texts).to_contain_text("No other texts have been reported.")
    run = store.runs.get(run_id)
    assert run and run.note is None and run.tags == ("depth",)
    expect(visitor.locator(".room-members li")).to_have_count(0)
    expect(visitor.get_by_role("button", name="Report a nickname")).to_be_hidden()
