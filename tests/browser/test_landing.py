"""The first page: the finding before any script, the pair that repeats it, and questions that end in a sentence."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Route, expect

from app.form.experiments import EXPERIMENTS, TWIN
from app.form.fields import EXAMPLES
from app.pages.landing import found
from core.catalog.policy import trainable
from core.documents.numbers import rounded
from core.run.spec import RunSpec
from tests.browser.conftest import RUNNING, Open, Site, Watch
from tests.browser.puppet import Puppet
from tests.browser.train_page import query


def test_the_finding_is_there_without_any_script(site: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(site.url)
    finding = found()
    assert finding is not None
    title = page.get_by_role("heading", level=1)
    for side in finding.sides:
        expect(title).to_contain_text(rounded(side.top1))
    figure = page.get_by_role("figure")
    expect(figure).to_contain_text(f"{finding.epochs} epochs, n = {finding.n} each")
    expect(figure.get_by_role("img", name="Test accuracy over")).to_be_visible()
    assert figure.locator("polyline").count() == 2
    paper = page.locator(".paper-claim")
    expect(paper).to_contain_text("The paper says")
    expect(paper).to_contain_text("abstract of v3")
    ours, theirs = (page.locator(part).first for part in ("figcaption b", ".paper-claim b"))
    color = "element => getComputedStyle(element).color"
    assert ours.evaluate(color) != theirs.evaluate(color), "ours and the paper's look different"
    context.close()


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_finding_and_the_button_are_on_the_first_screen(open_page: Open, width: int, theme: str) -> None:
    height = 844 if width < 1000 else 900
    page = open_page("/", viewport={"width": width, "height": height}, color_scheme=theme)
    button = page.get_by_role("button", name="Repeat it here")
    expect(button).to_be_enabled()
    for part in (page.get_by_role("heading", level=1), button, page.locator(".curves")):
        box = part.bounding_box()
        assert box and box["y"] + box["height"] <= height and box["x"] >= 0 and box["x"] + box["width"] <= width
    assert (page.locator("body.dark").count() == 1) == (theme == "dark")


def test_old_links_to_the_form_lead_there(open_page: Open) -> None:
    page = open_page("/?architecture=resnet-20&policy=output&epochs=7")
    assert urlsplit(page.url).path == "/train"
    expect(page.get_by_label("Epochs")).to_have_value("7")
    page = open_page("/?utm_source=x&theme=dark", page=page)
    expect(page.get_by_role("button", name="Repeat it here")).to_be_visible()


def test_a_question_ends_in_a_sentence(open_page: Open, puppet: Puppet) -> None:
    page = open_page("/")
    page.get_by_role("button", name="Repeat it here").click()
    page.wait_for_url("**/compare?question=random-twin&runs=*")
    expect(page.get_by_role("heading", level=1)).to_have_text(EXPERIMENTS[TWIN].sentence)
    answer = page.get_by_role("region", name="Answer")
    expect(answer.get_by_role("progressbar")).to_have_count(2)
    expect(answer.get_by_role("status")).to_contain_text("The answer appears when all runs have finished.")
    expect(answer.locator(".paper-claim")).to_contain_text("The paper says")
    first, second = query(page)["runs"].split(",")
    puppet.claim(first)
    puppet.finish(first)
    expect(answer).to_contain_text("test accuracy")
    page.wait_for_function("document.querySelector('.overlay .plot')?.layout?.xaxis?.range?.[1] > 40")
    puppet.claim(second)
    puppet.finish(second)
    expect(answer.get_by_role("status")).to_contain_text("The difference is")
    said = answer.get_by_role("status").inner_text()
    shown = [float(number) for number in re.findall(r"(\d+\.\d)(?=\s?%| points)", said)]
    for run_id, value in zip((first, second), shown, strict=False):
        run = puppet.store.runs.get(run_id)
        assert run is not None and run.result is not None
        assert value == pytest.approx(100 * run.result.top1, abs=0.06)
    assert shown[2] == pytest.approx(abs(shown[0] - shown[1]), abs=1e-6), "a reader can check the difference"
    assert "Digits" in said and "n = 1 each" in said
    page.reload()
    expect(answer.get_by_role("status")).to_contain_text("The difference is")


def test_a_question_whose_run_failed_says_that_there_is_no_answer(open_page: Open, puppet: Puppet) -> None:
    ids = [puppet.submit(**run)[0] for run in EXAMPLES]
    for run_id in ids:
        puppet.store.runs.cancel(run_id)
    page = open_page(f"/compare?question=random-twin&runs={','.join(ids)}")
    status = page.get_by_role("region", name="Answer").get_by_role("status")
    expect(status).to_contain_text("There is no answer")
    page = open_page(f"/compare?question=depth&runs={','.join(ids)}", page=page)
    expect(page.locator(".legend-list li")).to_have_count(2)
    expect(page.get_by_role("region", name="Answer")).to_have_count(0)


def test_two_groups_that_differ_in_one_field_are_compared_in_a_sentence(open_page: Open, puppet: Puppet) -> None:
    ids = [puppet.done(policy=policy, replicate=replicate) for policy in ("output", "all") for replicate in (0, 1)]
    page = open_page(f"/compare?runs={','.join(ids)}")
    status = page.get_by_role("region", name="Answer").get_by_role("status")
    expect(status).to_contain_text("(n = 2)")
    expect(status).to_contain_text("The difference is")


def test_one_click_launches_both_examples_and_compares_them(open_page: Open, puppet: Puppet) -> None:
    page = open_page("/")
    page.get_by_role("button", name="Repeat it here").click()
    page.wait_for_url("**/compare?question=random-twin&runs=*")
    ids = query(page)["runs"].split(",")
    expect(page.locator(".legend-list li")).to_have_count(2)
    specs = []
    for run_id in ids:
        run = puppet.store.runs.get(run_id)
        assert run is not None
        specs.append(run.spec)
        puppet.claim(run_id)
        puppet.finish(run_id)
    assert specs == [RunSpec.model_validate(example) for example in EXAMPLES]
    assert len({trainable(spec.trains) for spec in specs}) == 1
    expect(page.locator(".legend-list .badge").filter(has_text="Finished")).to_have_count(2)
    page.wait_for_function("document.querySelector('.overlay .plot')?.data?.every(trace => trace.x.length > 12)")


def test_no_click_is_lost_before_the_script_is_there(open_page: Open) -> None:
    page = open_page("/about")
    waiting: list[Route] = []
    page.route("**/static/pages/start/page.js", lambda route: waiting.append(route))
    page.goto(page.url.removesuffix("about"), wait_until="commit")
    button = page.get_by_role("button", name="Repeat it here")
    expect(button).to_be_disabled()
    for route in waiting:
        route.continue_()
    button.click()
    page.wait_for_url("**/compare?question=random-twin&runs=*")


def test_a_second_click_launches_only_the_example_that_was_refused(
    open_page: Open, puppet: Puppet, watch: Watch
) -> None:
    watch.expected.append("429")
    page = open_page("/")
    refused: list[str] = []

    def refuse_the_second(route: Route) -> None:
        if "random-2" in (route.request.post_data or "") and not refused:
            refused.append("random-2")
            route.fulfill(status=429, json={"detail": "The queue is full."})
        else:
            route.continue_()

    page.route("**/api/runs*", refuse_the_second)
    before = puppet.store.runs.find()[1]
    page.get_by_role("button", name="Repeat it here").click()
    expect(page.get_by_role("alert").filter(has_text="The queue is full.")).to_be_visible()
    page.get_by_role("button", name="Repeat it here").click()
    page.wait_for_url("**/compare?question=random-twin&runs=*")
    expect(page.locator(".legend-list li")).to_have_count(2)
    assert puppet.store.runs.find()[1] == before + 2
    for run_id in query(page)["runs"].split(","):
        puppet.store.runs.cancel(run_id)


def test_the_latest_runs_follow_along(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start(name="Followed along")
    page = open_page("/")
    row = page.locator(".latest li", has_text="Followed along")
    expect(row.locator(".badge")).to_have_text(RUNNING)
    puppet.finish(run_id)
    expect(row.locator(".badge")).to_have_text("Finished")
    row.get_by_role("link").click()
    page.wait_for_url(f"**/run?id={run_id}")


def test_a_part_of_the_script_that_is_lost_is_loaded_again(open_page: Open, watch: Watch) -> None:
    watch.expected += ["Failed to load resource", "net::ERR_FAILED"]
    page = open_page("/about")
    lost: list[str] = []

    def lose_once(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.request.url)
            route.abort()

    page.route("**/static/site/launch.js", lose_once)
    open_page("/", page=page)
    expect(page.get_by_role("button", name="Repeat it here")).to_be_enabled()
    assert lost
