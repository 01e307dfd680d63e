"""`python -m tests.browser.shots`: every page and state as a picture, in both themes and two widths, into shots/.

For eyes, not for comparison by machine. The curves are the puppet's: they show the page, not science.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from core.studies.catalog import study_spec
from tests.browser.conftest import ROOT, Site, find_chromium, launch
from tests.browser.puppet import Puppet

FOLDER = ROOT / "shots"
WIDTHS = {1280: 860, 390: 844}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def prepare(puppet: Puppet) -> dict[str, str]:
    """Runs in every state; name of the picture -> path of the page."""
    pair = [puppet.done(policy=policy) for policy in ("batchnorm", "random-2")]
    others = [
        puppet.done(policy="output"),
        puppet.done(policy="all", architecture="resnet-20", epochs=8),
        puppet.done(policy="batchnorm+output", architecture="resnet-32", name="With the classifier"),
        *(puppet.done(replicate=k) for k in range(1, 4)),
    ]
    plain = puppet.done(policy="all", dataset="cifar-100", norm={"affine": False}, recipe={"schedule": "cosine"})
    study = puppet.store.launch_study(study_spec("random-k", "minutes")).id
    for waiting in puppet.store.waiting():
        puppet.claim(waiting)
        puppet.finish(waiting)
    failed, _ = puppet.start(architecture="wrn-14-4", policy="all", recipe={"lr": 50})
    puppet.advance(failed, 0.3)
    puppet.fail(failed, "diverged", "The loss became infinite at step 43. A smaller learning rate usually helps.")
    cancelled, _ = puppet.start(architecture="resnet-56")
    puppet.advance(cancelled, 0.5)
    puppet.store.request_cancel(cancelled)
    puppet.obey_cancel(cancelled)
    deep, _ = puppet.start(architecture="resnet-110", dataset="fashion-mnist", epochs=4, name="Deep and frozen")
    puppet.advance(deep, 0.62)
    queued, _ = puppet.submit(policy="random-8")
    return {
        "train": "/",
        "train-deep": "/?architecture=resnet-866&policy=batchnorm&dataset=cifar-10&epochs=160",
        "train-random": "/?architecture=resnet-56&policy=random-16&dataset=fashion-mnist&epochs=4&train_examples=12800",
        "train-all": "/?architecture=wrn-14-4&policy=all&dataset=cifar-10&epochs=20",
        "train-stages": "/?architecture=imagenet-resnet-50&policy=batchnorm-stages-0-2&dataset=cifar-10&epochs=90",
        "train-layers": "/?architecture=imagenet-resnet-200&policy=batchnorm%2Boutput&dataset=cifar-10&epochs=90",
        "train-supermask": "/?architecture=vgg-16&policy=supermask-30&dataset=cifar-100&epochs=160",
        "train-gamma": "/?architecture=resnet-14&policy=gamma&dataset=digits&epochs=30&norm.kind=group",
        "train-refused": "/?architecture=resnet-15&policy=batchnorm&dataset=digits&epochs=3",
        "run-queued": f"/run?id={queued}",
        "run-running": f"/run?id={deep}",
        "run-finished": f"/run?id={pair[0]}",
        "run-without-gamma": f"/run?id={plain}",
        "run-failed": f"/run?id={failed}",
        "run-cancelled": f"/run?id={cancelled}",
        "run-unknown": "/run?id=nosuchrun1234",
        "runs": "/runs",
        "runs-chosen": f"/runs?compare={','.join(pair)}",
        "compare": f"/compare?runs={','.join([*pair, *others, deep, failed])}&base={pair[0]}",
        "compare-by-policy": f"/compare?runs={','.join([*pair, *others, deep])}&group=policy&smooth=0.6&singles=1",
        "compare-nothing": "/compare",
        "runs-nothing-found": "/runs?text=nothing+has+this+name",
        "paper": f"/paper?study={study}",
        "about": "/about",
        "run-embedded": f"/run?id={pair[0]}&embed=1",
    }


def shoot(page: Page, name: str) -> None:
    """The whole page, after all its charts have drawn themselves: they do so only where they can be seen."""
    page.wait_for_selector(".site-header:visible, .frame-bar:visible")
    page.wait_for_timeout(1500)
    viewport = page.viewport_size
    assert viewport is not None
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": viewport["width"], "height": max(viewport["height"], height)})
    page.wait_for_timeout(1500)
    page.screenshot(path=FOLDER / f"{name}.png")
    page.set_viewport_size(viewport)


def shoot_all(browser: Browser, site: Site, puppet: Puppet, paths: dict[str, str]) -> None:
    for theme in THEMES:
        for width, height in WIDTHS.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
            for name, path in paths.items():
                puppet.hello()
                page.goto(site.url + path)
                shoot(page, f"{name}-{theme}-{width}")
            page.close()


def main() -> int:
    if find_chromium() is None:
        print("no Chromium here; on Debian and Ubuntu: apt install chromium", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    only = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(Path(folder) / "data", embedded_worker=False)
        browser = launch(playwright)
        try:
            site.start()
            store = site.store()
            puppet = Puppet(store)
            paths = {"train-first-visit": "/", "runs-first-visit": "/runs"}
            shoot_all(browser, site, puppet, {name: path for name, path in paths.items() if not only or name in only})
            paths = prepare(puppet)
            shoot_all(browser, site, puppet, {name: path for name, path in paths.items() if not only or name in only})
            store.close()
        finally:
            browser.close()
            site.stop()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures are in {FOLDER.relative_to(ROOT)}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
