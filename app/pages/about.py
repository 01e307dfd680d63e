"""The About page for newcomers: the paper's findings, two interactive figures, the glossary, and citations."""

from __future__ import annotations

from html import escape

from app.pages.glossary import GLOSSARY, marked
from app.pages.panels import panel, words
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
  title   = {{OnlyBN: a browser laboratory for networks of which only a chosen few parameters train}},
  author  = {{The OnlyBN authors}},
  version = {{{VERSION}}},
  year    = {{2026}}
}}"""

INTRO = f"""
<div class="about-page"><header>
  <div class="page-head" data-slot="head"><h1>What happens if only BatchNorm learns?</h1></div>
  <p class="lead">A network for images has hundreds of thousands of weights, and training moves them all. Here we do
  something odd: the weights keep the random values that they were drawn with, for ever. Only two numbers
  a {marked("channel", "channel")} may change, {marked("gamma", "γ")} and {marked("beta", "β")}
  of {marked("batchnorm", "BatchNorm")}: well under one per cent of everything.</p>
  <p>“Training BatchNorm and Only BatchNorm” (Frankle, Schwab and Morcos, 2021) found that this works surprisingly well.
  {escape(QUOTES["abstract"].text)} {escape(QUOTES["third"].text)} And as many parameters chosen
  {marked("random-k", "by chance")} get much less far. So the random filters are good for something; γ and β choose
  among them. Where the numbers come from stands on the <a href="/paper">Paper</a> page.</p>
</header>
<section aria-labelledby="feature-title">
  <h2 id="feature-title">One channel, by hand</h2>
  <p>Behind every random filter BatchNorm brings what it sees to mean 0 and variance 1. Then it multiplies by γ, adds β,
  and {marked("relu", "ReLU")} cuts away what is below 0. Move the two numbers and watch the channel live or die.</p>
  <div data-slot="feature"></div>
</section>
<section aria-labelledby="counts-title">
  <h2 id="counts-title">How few that is</h2>
  <p>What each {marked("policy", "policy")} lets train in a network of your choice, counted by this server. The bars
  are on a logarithmic axis: half as long is far less than half as many.</p>
  <div data-slot="counts"></div>
</section>
<section aria-labelledby="next-title">
  <h2 id="next-title">See it for yourself</h2>
  <ol class="about-steps">
    <li><a href="/">Train</a> a pair: BatchNorm against its random twin. It takes a minute or a few.</li>
    <li>Open the {marked("run", "run")} and watch γ spread and pile up at 0, layer by layer.</li>
    <li>Lay <a href="/runs">runs</a> over each other, and put the <a href="/paper">paper’s questions</a> to the test
    with {marked("study", "studies")} of your own.</li>
    <li>Everything is also an <a href="/api/docs">API</a> and a command line.</li>
  </ol>
</section>
</div>
"""


def build() -> None:
    """Build the page inside the open Blocks."""
    panel("pages/about/page.js", INTRO, elem_id="about")
    words(_glossary(), elem_id="glossary")
    panel("pages/about/cite.js", _citations(), elem_id="cite")


def _glossary() -> str:
    rows = "".join(
        f'<div id="term-{term.name}"><dt>{escape(term.title)}</dt><dd>{escape(term.sentence)}</dd></div>'
        for term in sorted(
            GLOSSARY.values(), key=lambda term: term.title.replace("γ", "g").replace("β", "b").casefold()
        )
    )
    return (
        '<section class="about-page" aria-labelledby="glossary-title">'
        f'<h2 id="glossary-title">The words</h2><dl class="glossary">{rows}</dl></section>'
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
        "Whoever builds on results from here should cite both, and say which runs with their links.</p></section>"
    )
