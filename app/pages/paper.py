"""The page of the paper's questions: a card for each, filled by the script."""

from __future__ import annotations

from app.pages.panels import LOADING, panel

SKELETON = f"""
<div class="paper-page"><header class="paper-head">
  <h1>The paper’s questions</h1>
  <p>“Training BatchNorm and Only BatchNorm” makes claims; each card puts one to the test with runs of your own.
  A study trains a grid of networks, several replicates each, and says whether the claim holds here. Minutes take a
  small data set, an evening all of Fashion-MNIST, and paper is the paper’s own setting. What has run already is
  reused; the page may be closed meanwhile.</p>
</header>{LOADING}</div>
"""


def build() -> None:
    """The page, inside the Blocks that is open."""
    panel("pages/paper/page.js", SKELETON, elem_id="paper")
