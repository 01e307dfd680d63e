"""The About page for newcomers: the paper's findings, two interactive figures, the glossary, and citations."""

from __future__ import annotations

from html import escape

from app.pages.glossary import GLOSSARY, marked
from app.pages.part import Part
from core.catalog.paper import QUOTES
from core.version import VERSION

PAPER = """@inproceedings{frankle2021training,
  title     = {Training BatchNorm and Only BatchNorm: On the Expressive Power of Random Features in CNNs},
  author    = {Frankle, Jonathan and Schwab, David J. and Morcos, Ari S.},
  booktitle = {International Conference on Learning Representations},
  year      = {2021},
  note      = {arXiv:2003.00152}
}"""
PROJECT = f"""@software{{onlybn,
  title   = {{OnlyBN: a browser laboratory for random networks in which only a few parameters train}},
  author  = {{The OnlyBN authors}},
  version = {{{VERSION}}},
  year    = {{2026}}
}}"""

INTRO = f"""
<div class="about-page"><header>
  <div class="page-head" data-slot="head"><h1>What happens if only BatchNorm learns?</h1></div>
  <p class="lead">An image network has hundreds of thousands of weights, and training changes all of them. Here we do
  something odd: the weights keep their random initial values for ever. Only two numbers
  per {marked("channel", "channel")} may change, {marked("gamma", "γ")} and {marked("beta", "β")}
  of {marked("batchnorm", "BatchNorm")}: well under 1% of all parameters.</p>
  <p>“Training BatchNorm and Only BatchNorm” (Frankle, Schwab and Morcos, 2021) found that this works surprisingly well.
  {escape(QUOTES["abstract"].text)} {escape(QUOTES["third"].text)} The same number of
  {marked("random-k", "randomly chosen")} parameters gets nowhere near. So random filters are useful, and γ and β
  select among them. Sources are on the <a href="/paper">Paper</a> page.</p>
</header>
<section aria-labelledby="feature-title">
  <h2 id="feature-title">One channel, by hand</h2>
  <p>After each random filter, BatchNorm normalises its output to mean 0 and variance 1. Then it multiplies by γ and
  adds β, and {marked("relu", "ReLU")} sets everything below 0 to 0. Move the two numbers and watch the channel live or
  die.</p>
  <div data-slot="feature"></div>
</section>
<section aria-labelledby="counts-title">
  <h2 id="counts-title">How few that is</h2>
  <p>The number of parameters that each {marked("policy", "policy")} trains in a network of your choice, counted
  exactly. The bars are to scale.</p>
  <div data-slot="counts"></div>
</section>
<section aria-labelledby="next-title" data-live>
  <h2 id="next-title">See it for yourself</h2>
  <ol class="about-steps">
    <li><a href="/">Train</a> a pair: BatchNorm against its random twin. It takes a few minutes at most.</li>
    <li>Open the {marked("run", "run")} and watch γ spread and pile up at 0, layer by layer.</li>
    <li>Compare <a href="/runs">runs</a> in one chart, and test the <a href="/paper">paper’s claims</a>
    with {marked("study", "studies")} of your own.</li>
    <li>Everything is also available through an <a href="/api/docs">API</a> and a command line.</li>
  </ol>
</section>
</div>
"""


def parts() -> tuple[Part, ...]:
    """The page from its top to its end."""
    return (
        Part(INTRO, "pages/about/page.js", "about"),
        Part(_glossary(), None, "glossary"),
        Part(_citations(), "pages/about/cite.js", "cite"),
    )


def _glossary() -> str:
    rows = "".join(
        f'<div id="term-{term.name}"><dt>{escape(term.title)}</dt><dd>{escape(term.sentence)}</dd></div>'
        for term in sorted(
            GLOSSARY.values(), key=lambda term: term.title.replace("γ", "g").replace("β", "b").casefold()
        )
    )
    return (
        '<section class="about-page" aria-labelledby="glossary-title">'
        f'<h2 id="glossary-title">Glossary</h2><dl class="glossary">{rows}</dl></section>'
    )


def _citations() -> str:
    entries = "".join(
        f'<h3>{title}</h3><div class="citation"><pre tabindex="0" aria-label="{title} as BibTeX">{escape(entry)}</pre>'
        "</div>"
        for title, entry in (("The paper", PAPER), ("This program", PROJECT))
    )
    return (
        '<section class="about-page" aria-labelledby="cite-title"><h2 id="cite-title">How to cite</h2>'
        f"{entries}"
        '<p>The paper: <a href="https://arxiv.org/abs/2003.00152">arXiv 2003.00152</a>. '
        "If you use these results, please cite both and link the runs.</p></section>"
    )
