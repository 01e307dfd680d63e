"""What a test waits for where nothing that can be read says that a page is ready."""

from __future__ import annotations

from contextlib import suppress

from playwright.sync_api import Locator, Page, expect


def still(page: Page) -> None:
    """Wait until nothing fades or moves any more, and what scripts have begun to draw is drawn."""
    page.evaluate(
        """async () => {
            const ends = (animation) => animation.effect.getComputedTiming().endTime !== Infinity;
            await Promise.allSettled(document.getAnimations().filter(ends).map(({ finished }) => finished));
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }"""
    )


def hover(target: Locator, shown: Locator) -> None:
    """Point at `target` until `shown` is there. What a page draws late moves things under a pointer that rests, and the
    sentence about what is no longer under it goes, as it should."""
    for _ in range(10):
        target.page.mouse.move(1, 1)
        target.hover()
        with suppress(AssertionError):
            expect(shown).to_be_visible(timeout=2000)
            break
    expect(shown).to_be_visible()


def keys_listen(page: Page) -> None:
    """Wait until the page hears keys, which it does once their module is there."""
    page.evaluate("import('/static/site/keys.js').then(() => null)")
