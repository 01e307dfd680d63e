"""What a test waits for where nothing that can be read says that a page is ready."""

from __future__ import annotations

from playwright.sync_api import Page


def still(page: Page) -> None:
    """Wait until nothing fades or moves any more, and what scripts have begun to draw is drawn."""
    page.evaluate(
        """async () => {
            const ends = (animation) => animation.effect.getComputedTiming().endTime !== Infinity;
            await Promise.allSettled(document.getAnimations().filter(ends).map(({ finished }) => finished));
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }"""
    )


def keys_listen(page: Page) -> None:
    """Wait until the page hears keys, which it does once their module is there."""
    page.evaluate("import('/static/site/keys.js').then(() => null)")
