"""A class in a room: opened by a teacher, joined with nicknames, one board for all."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Watch
from tests.browser.puppet import Puppet

WIDEST = "Math.max(...[...document.querySelectorAll('.room-page *')].map(one => one.getBoundingClientRect().right))"


def open_room(open_page: Open, question: str = "depth") -> Page:
    """The teacher's page of a new room."""
    page = open_page("/room")
    page.get_by_label("Title").fill("Course")
    page.get_by_label("Question for everybody").select_option(question)
    page.get_by_role("button", name="Open the room").click()
    page.wait_for_url("**/room?id=*")
    expect(page.get_by_role("heading", name="Course")).to_be_visible()
    return page


def join(page: Page, nickname: str) -> None:
    page.get_by_label("Nickname").fill(nickname)
    page.get_by_role("button", name="Join").click()
    expect(page.locator(".room-people")).to_contain_text(f"You are {nickname}.")


def test_a_class_runs_the_teachers_question_on_one_board(open_page: Open, puppet: Puppet) -> None:
    teacher = open_room(open_page)
    path = teacher.url.removeprefix(teacher.evaluate("location.origin"))
    expect(teacher.get_by_role("button", name="Run it")).to_be_disabled()
    expect(teacher.get_by_text("No run yet.")).to_be_visible()
    ada, bob = open_page(path), open_page(path, viewport={"width": 390, "height": 844})
    join(ada, "Ada")
    join(bob, "Bob")
    expect(teacher.locator(".room-members li")).to_have_text([re.compile("Ada"), re.compile("Bob")])
    for page in (ada, bob):
        page.get_by_role("button", name="Run it").click()
        expect(page.get_by_role("status").filter(has_text="3 runs are launched")).to_be_visible()
    runs = puppet.store.rooms.board(path.partition("id=")[2])
    assert [nickname for _, nickname in runs] == ["Bob"] * 3 + ["Ada"] * 3
    found = [puppet.store.runs.get(run_id) for run_id, _ in runs]
    assert {run.spec.replicate for run in found if run} == {0, 1} and {run.question for run in found if run} == {
        "depth"
    }
    board = teacher.frame_locator(".room-chart")
    expect(board.locator(".legend-list > li")).to_have_count(6)
    expect(board.locator(".legend-list > li").filter(has_text="Ada: ")).to_have_count(3)
    assert bob.evaluate(WIDEST) <= 390
    narrow = open_page("/room", viewport={"width": 320, "height": 640})
    expect(narrow.get_by_role("button", name="Open the room")).to_be_visible()
    assert narrow.evaluate(WIDEST) <= 320


def test_who_leaves_takes_the_name_away(open_page: Open, puppet: Puppet) -> None:
    page = open_room(open_page)
    room = page.url.partition("id=")[2]
    join(page, "Zoe")
    page.get_by_role("button", name="Run it").click()
    expect(page.frame_locator(".room-chart").locator(".legend-list > li")).to_have_count(3)
    page.get_by_role("button", name="Leave and delete my nickname").click()
    expect(page.get_by_label("Nickname")).to_be_visible()
    runs = puppet.store.rooms.board(room)
    assert len(runs) == 3 and all(nickname is None for _, nickname in runs)
    assert all((run := puppet.store.runs.get(run_id)) and run.spec.name is None for run_id, _ in runs)


def test_the_teacher_changes_the_question_removes_and_closes(open_page: Open, watch: Watch) -> None:
    watch.expected.append("404")
    teacher = open_room(open_page)
    path = teacher.url.removeprefix(teacher.evaluate("location.origin"))
    pupil = open_page(path)
    join(pupil, "Mallory")
    expect(pupil.get_by_role("button", name="Close this room")).to_be_hidden()
    teacher.get_by_label("Question for everybody").select_option("")
    expect(pupil.get_by_role("heading", name="Launch any run")).to_be_visible()
    pupil.get_by_role("link", name="Build your own run").click()
    pupil.wait_for_url("**/train?room=*")
    teacher.get_by_role("button", name="Remove Mallory").click()
    expect(teacher.locator(".room-members li")).to_have_count(0)
    teacher.get_by_role("button", name="Close this room").click()
    teacher.get_by_role("button", name="Really close it?").click()
    teacher.wait_for_url(re.compile(r"/room$"))
    closed = open_page(path)
    expect(closed.get_by_role("heading", name="There is no room at this link")).to_be_visible()
