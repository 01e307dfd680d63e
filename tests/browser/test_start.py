"""Runs that start from another run's trained network, or from a file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from tests.app.api.test_starts import file_of, torchvision_like
from tests.browser.conftest import Open, Watch
from tests.browser.puppet import Puppet


def test_a_run_starts_from_a_finished_one(open_page: Open, puppet: Puppet) -> None:
    first = puppet.done(name="Teacher", policy="all")
    page = open_page(f"/run?id={first}")
    page.locator("summary", has_text="More").click()
    page.get_by_role("link", name="Start from this run").click()
    note = page.locator(".start")
    expect(note).to_contain_text("Starts from the trained network of Teacher.")
    assert parse_qs(urlsplit(page.url).query)["start"] == [first]
    expect(page.locator('[data-slot="title"]')).to_have_text("ResNet-14")
    page.get_by_role("button", name="Launch", exact=True).click()
    page.wait_for_url("**/run?id=*")
    run_id = parse_qs(urlsplit(page.url).query)["id"][0]
    run = puppet.store.runs.get(run_id)
    assert run is not None and run.spec.start == hashlib.sha256(b"a capsule").hexdigest()
    expect(page.locator(".spec")).to_contain_text(f"the file with SHA-256 {run.spec.start[:16]}")
    page.get_by_role("link", name="Change and run again").click()
    expect(note).to_contain_text("Starts from the file with SHA-256")
    page.get_by_role("button", name="Start from random values").click()
    expect(note).to_contain_text("Starts from random values.")
    assert "start" not in parse_qs(urlsplit(page.url).query)
    puppet.store.runs.cancel(run_id)


def test_a_file_is_uploaded_or_refused_in_words(open_page: Open, watch: Watch, tmp_path: Path) -> None:
    watch.expected.append("422")
    bad, good = tmp_path / "bad.safetensors", tmp_path / "good.safetensors"
    bad.write_bytes(b"nothing of this kind")
    good.write_bytes(file_of())
    page = open_page("/train?epochs=7&dataset=digits")
    expect(page.locator('[data-slot="title"]')).to_have_text("ResNet-14")
    chooser = page.get_by_label("File to start from")
    chooser.set_input_files(bad)
    expect(page.locator(".start .problem")).to_contain_text("the file is not a safetensors file")
    chooser.set_input_files(good)
    digest = hashlib.sha256(good.read_bytes()).hexdigest()
    page.wait_for_url(f"**start={digest}*")
    expect(page.locator(".start")).to_contain_text(f"Starts from the file with SHA-256 {digest[:12]}")
    assert parse_qs(urlsplit(page.url).query)["epochs"] == ["7"]
    expect(page.get_by_label("Epochs")).to_have_value("7")


def test_a_link_to_a_run_that_is_not_there_is_said(open_page: Open, watch: Watch) -> None:
    watch.expected += ["422", "404"]
    page = open_page("/train?start=NoSuchRun12345")
    expect(page.locator('.preview [data-slot="problem"]')).to_contain_text("there is no run NoSuchRun12345")


def test_torchvisions_weights_choose_their_architecture(open_page: Open, watch: Watch, tmp_path: Path) -> None:
    watch.expected.append("422")
    file = tmp_path / "resnet18.safetensors"
    file.write_bytes(torchvision_like(18))
    page = open_page("/train?epochs=7&dataset=cifar-10&policy=batchnorm%2Boutput")
    expect(page.locator('[data-slot="title"]')).to_have_text("ResNet-14")
    page.get_by_label("File to start from").set_input_files(file)
    page.wait_for_url("**start=*")
    query = parse_qs(urlsplit(page.url).query)
    assert query["architecture"] == ["imagenet-resnet-18"] and query["policy"] == ["batchnorm+output"]
    expect(page.locator('[data-slot="title"]')).to_have_text("ImageNet ResNet-18")
    page.goto(page.url.replace("imagenet-resnet-18", "resnet-20"))
    problem = page.locator(".problem, [data-slot='problem']").filter(
        has_text="choose the architecture imagenet-resnet-18"
    )
    expect(problem.first).to_be_visible()
