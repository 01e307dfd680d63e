"""The page that lays runs side by side: means and bands, what is shown and for how long, its files."""

from __future__ import annotations

import csv
import io
import json
import runpy
import subprocess
import sys
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, expect

from core.studies.statistics import summary, t_quantile
from tests.browser.conftest import RUNNING, Open
from tests.browser.puppet import Puppet

CURVES = "document.querySelector('.overlay .plot')?.data"
UIDS = f"{CURVES}?.map(trace => trace.uid)"


@pytest.fixture(scope="module")
def six(puppet: Puppet) -> list[str]:
    """Three replicates of each of two policies."""
    return [puppet.done(policy=policy, replicate=k, epochs=4) for policy in ("batchnorm", "random-2") for k in range(3)]


def compared(six: list[str], wishes: str = "") -> str:
    return f"/compare?runs={','.join(six)}{wishes}"


def traces(page: Page, count: int) -> list[dict[str, Any]]:
    page.locator(".overlay .plot").scroll_into_view_if_needed()  # a chart that nobody sees is drawn when somebody does
    page.wait_for_function(f"{CURVES}?.length === {count}")
    found: list[dict[str, Any]] = page.evaluate(
        f"{CURVES}.map(({{uid, x, y, name, line, marker, fill}}) => "
        "({uid, x: [...x], y: [...y], name, line, symbol: marker?.symbol, fill}))"
    )
    return found


def accuracies(puppet: Puppet, ids: list[str]) -> list[list[float]]:
    """By epoch: the test accuracies of the runs in percent."""
    curves = [[point.top1 for point in puppet.store.curves.points(run_id) if point.split == "test"] for run_id in ids]
    return [[100 * value for value in row] for row in zip(*curves, strict=True)]


def test_means_and_intervals_are_those_of_the_studies(open_page: Open, puppet: Puppet, six: list[str]) -> None:
    page = open_page(compared(six))
    band, mean, *others = traces(page, 4)
    expected = [summary(row) for row in accuracies(puppet, six[:3])]
    assert mean["x"] == [0, 1, 2, 3, 4]
    assert mean["y"] == pytest.approx([found.mean for found in expected if found], abs=2e-3)
    ends = [found.high for found in expected if found] + [found.low for found in reversed(expected) if found]
    assert band["fill"] == "toself" and band["y"] == pytest.approx(ends, abs=0.02)
    assert mean["line"]["color"] != others[1]["line"]["color"], "colour by policy"
    expect(page.locator(".legend-count")).to_have_text([" n = 3", " n = 3"])
    quantiles = page.evaluate(
        "import('/static/charts/statistics.js').then(({tQuantile}) => "
        "[1, 2, 3, 4, 7, 30, 199, 400].map((freedom) => tQuantile(0.95, freedom)))"
    )
    assert quantiles == pytest.approx([t_quantile(0.95, f) for f in (1, 2, 3, 4, 7, 30, 199, 400)], rel=1e-5)
    page.get_by_label("Band").select_option("range")
    page.wait_for_function(f"Math.abs({CURVES}[0].y.at(-1) - {min(accuracies(puppet, six[:3])[0])}) < 0.01")
    page.get_by_label("Single runs").check()
    page.wait_for_function(f"{CURVES}.length === 10")


def test_a_mean_has_only_the_steps_that_all_its_runs_have(open_page: Open, puppet: Puppet, six: list[str]) -> None:
    short = puppet.done(epochs=2)
    page = open_page(f"/compare?runs={six[0]},{short}&group=policy&band=none")
    (mean,) = traces(page, 1)
    assert mean["x"] == [0, 1, 2]
    expect(page.locator(".legend-count")).to_have_text(" n = 2 · mean up to epoch 2")
    page.get_by_label("Over", exact=True).select_option("step")
    page.wait_for_function(f"{CURVES}[0].x.at(-1) > 10")


def test_what_runs_goes_on_what_failed_stays_and_what_is_gone_is_named(
    open_page: Open, puppet: Puppet, six: list[str]
) -> None:
    failed, _ = puppet.start(policy="all", epochs=4, recipe={"lr": 50})
    puppet.advance(failed, 0.5)
    puppet.fail(failed, "diverged", "The loss became infinite.")
    live, _ = puppet.start(policy="output", epochs=4)
    puppet.advance(live, 0.3)
    page = open_page(f"/compare?runs={live},nosuchrun1234,{failed}&colour=red&metric=f1")
    expect(page.locator(".compare-problems .note")).to_have_count(2)
    expect(page.locator(".compare-problems")).to_contain_text("metric must be one of test, train")
    expect(page.locator(".legend-list")).to_contain_text("There is no run nosuchrun1234")
    expect(page.locator(".legend-list .badge")).to_have_text([RUNNING, "Failed"])
    page.wait_for_function(f"{CURVES}?.length === 2 && {CURVES}[0].x.length === 2")
    page.evaluate("Plotly.relayout(document.querySelector('.overlay .plot'), {'yaxis.range': [10, 20]})")
    puppet.finish(live)
    page.wait_for_function(f"{CURVES}[0].x.length === 5")
    assert page.evaluate("document.querySelector('.overlay .plot').layout.yaxis.range") == [10, 20], "the zoom stays"
    expect(page.locator(".legend-list .badge")).to_have_text(["Finished", "Failed"])
    page.get_by_role("button", name="Remove nosuchrun1234").click()
    expect(page.locator(".legend-list")).not_to_contain_text("nosuchrun1234")
    assert f"runs={live},{failed}" in unquote(page.url)


def test_the_address_is_the_whole_page(open_page: Open, six: list[str]) -> None:
    page = open_page(compared(six, "&embed=1"))
    traces(page, 4)
    page.get_by_role("button", name="Train accuracy").click()
    page.get_by_label("Group by").select_option("dataset")
    page.locator(".compare-group select").nth(1).select_option("replicate")
    page.get_by_label("Over", exact=True).select_option("seconds")
    page.get_by_role("slider").fill("0.5")
    page.get_by_label("Across", exact=True).select_option("epochs")
    page.wait_for_function("location.search.includes('scatter')")
    assert unquote(page.url).partition("&")[2] == (
        "group=dataset,replicate&metric=train&x=seconds&smooth=0.5&scatter=epochs,test&log=none&embed=1"
    )
    again = open_page(page.url.removeprefix(page.evaluate("location.origin")))
    again.wait_for_function(f"{CURVES}?.length === 9")  # three groups: band, raw mean, smoothed mean
    assert again.evaluate(UIDS) == page.evaluate(UIDS)
    expect(again.locator(".compare-note").first).to_contain_text("The bold lines are smoothed (0.50)")
    raw, smooth = (trace for trace in traces(again, 9)[1:3])
    assert raw["uid"].endswith("-raw") and raw["y"] != smooth["y"] and raw["y"][0] == smooth["y"][0]
    assert raw["x"][-1] == pytest.approx(40.0, rel=0.01), "the seconds of the run"


def test_table_baseline_and_differences(open_page: Open, puppet: Puppet, six: list[str]) -> None:
    other = puppet.done(epochs=4, name="Slow rate", recipe={"lr": 0.01, "lr_drops": (0.25, 0.5, 0.75)})
    page = open_page(compared([*six, other]))
    rows = page.locator(".compare-table tbody tr")
    expect(rows).to_have_count(7)
    page.locator(".compare-table th[data-key=test] button").click()
    best = rows.first.locator("th")
    expect(page.locator(".compare-table th[data-key=test]")).to_have_attribute("aria-sort", "descending")
    expect(rows.last).to_contain_text("2 random weights per channel")
    page.get_by_label("Slow rate as baseline").click()
    expect(page.locator(".compare-table tr[data-base]")).to_contain_text("baseline")
    expect(rows.last).to_contain_text("−6")
    assert f"base={other}" in page.url and best.inner_text()
    page.get_by_label("Find in the table").fill("random")
    expect(rows).to_have_count(3)
    expect(page.get_by_text("3 of 7 runs match")).to_be_visible()
    page.get_by_label("Find in the table").fill("")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Learning rate", exact=True).check()
    expect(page.locator(".compare-table th[data-key=lr]")).to_be_visible()
    differences = page.locator(".difference tbody th")
    expect(differences).to_have_text(["What trains", "Replicate", "Learning rate", "Rate drops at"])
    expect(page.locator(".difference")).to_contain_text("0.25,0.5,0.75")
    page.get_by_label("Remove Slow rate from the table and the charts").click()
    expect(rows).to_have_count(6)
    assert "base=" not in page.url


def saved(page: Page, title: str, folder: Path, card: str = ".overlay") -> Path:
    page.locator(f"{card} .menu summary", has_text="Export").click()
    with page.expect_download() as download:
        page.locator(card).get_by_role("button", name=title).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_files_of_what_is_seen(open_page: Open, puppet: Puppet, six: list[str], tmp_path: Path) -> None:
    page = open_page(compared(six, "&smooth=0.9"))
    drawn = traces(page, 6)
    rows = list(csv.DictReader(io.StringIO(saved(page, "Data as CSV", tmp_path).read_text())))
    assert list(rows[0]) == ["run", "name", "group", "metric", "step", "epoch", "value"]
    mine = [float(row["value"]) for row in rows if row["run"] == six[0]]
    stored = [point.top1 for point in puppet.store.curves.points(six[0]) if point.split == "test"]
    assert mine == pytest.approx(stored, rel=1e-4), "raw, though the picture is smoothed"
    everything = json.loads(saved(page, "Everything as JSON", tmp_path).read_text())
    assert [run["id"] for run in everything["runs"]] == six and len(everything["groups"]) == 2
    assert everything["runs"][0]["spec"]["policy"] == "batchnorm"
    svg = saved(page, "Picture (SVG)", tmp_path).read_text()
    assert "ResNet-14 · BatchNorm only" in svg and "<svg" in svg
    assert saved(page, "Picture (PNG)", tmp_path).read_bytes().startswith(b"\x89PNG")
    points = csv.DictReader(io.StringIO(saved(page, "Data as CSV", tmp_path, ".scatter-card").read_text()))
    assert {row["trainable"] for row in points} == {"1120"}
    script = saved(page, "Python script", tmp_path)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Plotly.newPlot" in script.with_suffix(".html").read_text()
    figure = runpy.run_path(str(script))["figure"]().to_plotly_json()
    means = [trace for trace in figure["data"] if "(n = 3)" in (trace.get("name") or "")]
    assert len(means) == 2
    for mean, raw in zip(means, (trace for trace in drawn if trace["uid"].endswith("-raw")), strict=True):
        assert list(mean["y"]) == pytest.approx(raw["y"], rel=1e-6), "means of the raw values"
    for again, band in zip(
        (trace for trace in figure["data"] if trace.get("fill")), (t for t in drawn if t["fill"]), strict=True
    ):
        assert list(again["y"]) == pytest.approx(band["y"], rel=1e-4)


def test_no_menu_leaves_a_narrow_window(open_page: Open, six: list[str]) -> None:
    page = open_page(compared(six), viewport={"width": 390, "height": 844})
    page.locator(".compare-table tbody tr").first.wait_for()
    for card in (".overlay", ".scatter-card", ".compare-table"):
        menus = page.locator(f"{card} details.menu")
        for at in range(menus.count()):
            menu = menus.nth(at)
            menu.locator("summary").click()
            box = menu.locator("> div").bounding_box()
            assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390, (card, at, box)
            menu.locator("summary").click()


@pytest.mark.parametrize(
    ("wishes", "kind", "places"),
    [
        ("&scatter=trainable,test&log=xy", ("log", "log"), {1120}),
        ("&scatter=policy,loss&log=none", ("category", "linear"), {"BatchNorm only", "2 random weights per channel"}),
    ],
)
def test_the_points_drawn_again(
    open_page: Open, six: list[str], tmp_path: Path, wishes: str, kind: tuple[str, str], places: set[object]
) -> None:
    page = open_page(compared(six, wishes))
    page.wait_for_function("document.querySelector('.scatter-card .plot')?.data?.length === 2")
    drawn = page.evaluate(
        "document.querySelector('.scatter-card .plot').data.map(({name, x, y, marker}) => "
        "({name, x: [...x], y: [...y], color: marker.color, symbol: marker.symbol}))"
    )
    told = json.loads(saved(page, "Points as JSON", tmp_path, ".scatter-card").read_text())
    assert [run["id"] for run in told["runs"]] == six and told["address"] == page.url
    assert told["runs"][0]["spec"]["policy"] == "batchnorm" and told["x"]["logarithmic"] == (kind[0] == "log")
    script = saved(page, "Python script", tmp_path, ".scatter-card")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Plotly.newPlot" in script.with_suffix(".html").read_text()
    figure = runpy.run_path(str(script))["figure"]().to_plotly_json()
    assert (figure["layout"]["xaxis"]["type"], figure["layout"]["yaxis"]["type"]) == kind
    assert {place for trace in figure["data"] for place in trace["x"]} == places
    for again, trace in zip(figure["data"], drawn, strict=True):
        assert (again["name"], again["marker"]["color"], again["marker"]["symbol"]) == (
            trace["name"],
            trace["color"],
            trace["symbol"],
        )
        assert list(again["x"]) == trace["x"] and list(again["y"]) == pytest.approx(trace["y"], rel=1e-9)


def test_a_name_that_looks_like_a_formula_is_guarded_in_tables_and_plain_in_scripts(
    open_page: Open, puppet: Puppet, tmp_path: Path
) -> None:
    names = ["=1+1 (γ)", "-2/3"]
    page = open_page(compared([puppet.done(name=name, epochs=2) for name in names], "&group=run"))
    traces(page, 2)
    for card in (".overlay", ".scatter-card"):
        rows = csv.DictReader(io.StringIO(saved(page, "Data as CSV", tmp_path, card).read_text()))
        assert {row["name"] for row in rows} == {f"'{name}" for name in names}
        figure = runpy.run_path(str(saved(page, "Python script", tmp_path, card)))["figure"]().to_plotly_json()
        assert [trace["name"].removesuffix(" (n = 1)") for trace in figure["data"]] == names


def test_more_runs_than_one_question_may_have(open_page: Open, puppet: Puppet, six: list[str]) -> None:
    many = [puppet.submit(name=f"Crowd {k}")[0] for k in range(21)]
    for run_id in many:
        puppet.store.runs.cancel(run_id)
    page = open_page(compared([*many, *six], "&metric=disabled"))
    traces(page, 4)
    expect(page.get_by_text("21 runs have no disabled features yet.")).to_be_visible()
    assert fmean(page.evaluate(f"{CURVES}[1].y")) > 1
    page = open_page("/compare?text=Crowd&state=cancelled")
    expect(page.get_by_text("21 runs: Cancelled · “Crowd” in name, id or tag")).to_be_visible()
    expect(page.get_by_text("No run has a test accuracy yet.")).to_be_visible()


def test_a_thicket_is_drawn_on_demand(open_page: Open, puppet: Puppet) -> None:
    many = [puppet.done(name=f"Thicket {k}", epochs=2) for k in range(30)]
    page = open_page(compared(many, "&group=run"))
    traces(page, 24)
    expect(page.locator(".legend-list > li")).to_have_count(24)
    expect(page.get_by_role("note").filter(has_text="Showing 24 of 30 lines")).to_be_visible()
    page.get_by_role("button", name="Draw all 30").click()
    traces(page, 30)
    expect(page.locator(".legend-list > li")).to_have_count(30)
    expect(page.get_by_text("of 30 lines")).to_be_hidden()


def test_runs_without_a_name_are_called_what_they_are(open_page: Open, six: list[str]) -> None:
    page = open_page(compared([six[0], six[3]]))
    heads = page.locator(".difference thead a")
    expect(heads).to_have_text(["ResNet-14 · BatchNorm only", "ResNet-14 · 2 random weights per channel"])
    names = page.locator(".compare-table .run-name a").all_inner_texts()
    assert names == heads.all_inner_texts() and not set(names) & set(six)
