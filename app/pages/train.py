"""The Train page: the form, its preview, and the launch."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import gradio as gr

from app.form import components as form
from app.form.choices import PRESETS
from app.form.fields import DEFAULTS
from app.form.varied import quantities, varied
from app.pages.glossary import marked
from app.pages.panels import loaded, panel, words
from core.catalog import architectures as catalog
from core.catalog.datasets import DATASETS
from core.catalog.folder import missing
from core.catalog.policies import policy

FORM_JS = "pages/train/form.js"
LAUNCH_JS = "pages/train/launch.js"

HEAD = """
<header class="train-head">
  <h1>Build your own run</h1>
  <p class="quiet">Every weight keeps its random value, except the ones you train.</p>
  <p class="note" data-slot="copied" role="status" hidden></p>
</header>
"""

PREVIEW = """
<section class="preview card" aria-labelledby="preview-title" data-state="asking">
  <p class="note" data-slot="link-note" role="alert" hidden></p>
  <header>
    <h2 id="preview-title" data-slot="title">&nbsp;</h2>
    <p class="share"><b data-slot="trainable">–</b> <span>of <span data-slot="total">–</span>
      <span data-slot="noun">parameters train</span></span> <span class="share-percent" data-slot="share"></span></p>
    <div class="share-bar" data-slot="bar" aria-hidden="true"></div>
  </header>
  <div class="network-box" data-slot="network"></div>
  <p class="legend" data-slot="legend"></p>
  <ul class="parts" data-slot="parts" aria-label="Parameters by part"></ul>
  <dl class="facts">
    <div><dt>Time on this server</dt><dd data-slot="time">–</dd></div>
    <div data-slot="price-row" hidden><dt>Price</dt><dd data-slot="price">–</dd></div>
    <div><dt>Steps</dt><dd data-slot="steps">–</dd></div>
    <div><dt>{macs} per image</dt><dd data-slot="macs">–</dd></div>
  </dl>
  <ul class="warnings" data-slot="warnings"></ul>
  <p class="problem" data-slot="problem" role="alert" hidden></p>
</section>
""".replace("{macs}", marked("macs", "Multiply-adds"))

WORDS = (
    f'<p class="hint">New here? An {marked("epoch", "epoch")}, a {marked("replicate", "replicate")}, '
    f"{marked('gamma', 'γ')} and {marked('beta', 'β')}, a {marked('norm', 'norm layer')}, "
    f"{marked('random-k', 'random weights')}, a {marked('supermask', 'supermask')}: tap any of these words, or "
    'read <a href="/about">About</a>.</p>'
)

AFTER = (
    f'<p class="hint">{marked("adaptation", "Adaptation")} to {marked("corruption", "corrupted")} test images, '
    "once the network is trained. The run shows its accuracy as trained, with the statistics of these images, and with "
    "γ and β adapted, too. Its training and its test accuracy stay the same.</p>"
)
NOTES = {"After training": AFTER}
"""What stands under a heading of the form."""

SUMMARY = '<p class="launch-summary" data-slot="launch-summary">&nbsp;</p>'
"""The preview in a line, for screens on which the preview itself is below the form."""

ABSENT = "{} can be chosen once the operator of this server names a folder; see docs/data.md."

LAUNCH_PROBLEM = (
    '<p class="problem" data-slot="launch-problem" role="alert" hidden></p>'
    '<p class="launch-share" id="launch-share" data-slot="launch-share" hidden></p>'
)

WEBHOOK = """
<div class="launch-field" data-slot="webhook" hidden>
  <label for="webhook-address">Webhook (optional)</label>
  <p class="quiet" id="webhook-hint">The server notifies this address when the run, or your own question, has ended.
    Only you can see it.</p>
  <input id="webhook-address" type="url" maxlength="500" autocomplete="off" spellcheck="false"
    placeholder="https://example.org/told" aria-describedby="webhook-hint">
</div>
"""

WORKER_LABEL = """
<div class="launch-field">
  <label for="worker-label">Worker label (optional)</label>
  <p class="quiet" id="worker-label-hint" data-slot="hint">Only a worker with this label takes the run, or the runs of
    your own question.</p>
  <input id="worker-label" type="text" maxlength="40" autocomplete="off" autocapitalize="none" spellcheck="false"
    placeholder="gpu" list="worker-labels" aria-describedby="worker-label-hint worker-label-wrong">
  <datalist id="worker-labels" data-slot="known"></datalist>
  <p class="wrong-field" id="worker-label-wrong" data-slot="wrong" hidden></p>
</div>
"""

LINK = '<p class="form-link" data-slot="form-link"></p>'

IN_TAB = '<p class="in-tab" data-slot="in-tab"></p>'

CLI = """
<details class="cli"><summary>The same from the command line</summary>
  <div class="code"><code data-slot="cli" tabindex="0"></code><span data-slot="copy"></span></div>
</details>
"""

TEXT = """
<details class="cli"><summary>The same as YAML or JSON, or paste your own</summary>
<div data-slot="spec-text"></div></details>
"""

QUESTION = """
<details class="asking card" id="ask" data-varied="{varied}" data-quantities="{quantities}">
  <summary><h2>Ask your own question</h2></summary>
  <div data-slot="asking"></div>
</details>
"""


def build(site: gr.Blocks) -> None:
    """Build the page inside `site`, which is open."""
    words(HEAD)
    fields = form.Form()
    with gr.Row(elem_id="train"):
        with gr.Column(elem_id="form"):
            fields.architecture()
            _hint("architecture", catalog.parse(DEFAULTS["architecture"])[0].sentence)
            fields.policy()
            with gr.Column(elem_id="policy-parts"):
                fields.policy_parts()
                usual = policy(DEFAULTS["policy"])
                _hint("policy", usual.sentence, usual.source)
            fields.dataset()
            _hint("dataset", DATASETS[DEFAULTS["dataset"]].sentence)
            if absent := [data.title for data in DATASETS.values() if missing(data)]:
                words(f'<p class="hint">{ABSENT.format(" and ".join(absent))}</p>')
            with gr.Row(elem_id="numbers"):
                fields.numbers()
            words(WORDS)
            with gr.Accordion("Recipe and more", open=False, elem_id="advanced"):
                presets = _presets()
                for heading in form.SECTIONS:
                    words(f"<h2>{escape(heading)}</h2>{NOTES.get(heading, '')}")
                    fields.section(heading)
                panel("pages/train/worker_label.js", WORKER_LABEL)
                panel("pages/train/webhook.js", WEBHOOK)
        with gr.Column(elem_id="aside"):
            panel("pages/train/preview.js", PREVIEW, elem_id="preview")
            with gr.Column(elem_id="launch-bar"):
                words(SUMMARY)
                launch = gr.Button("Launch", variant="primary", elem_id="launch")
            words(LAUNCH_PROBLEM)
            panel("pages/train/in_tab.js", IN_TAB)
            panel("pages/train/link.js", LINK)
            words(CLI, elem_id="cli")
            panel("pages/train/text.js", TEXT)
    panel("pages/train/question.js", _with_fields(QUESTION), elem_id="question")
    _wire(site, fields, launch)
    for button, values in presets:
        filled = form.preset(values)
        button.click(
            None,
            None,
            [fields.components[key] for key in filled],
            js=f"() => {json.dumps(list(filled.values()))}",
            api_visibility="private",
        )


def _with_fields(skeleton: str) -> str:
    """`skeleton` with the fields that a question may vary, and what a claim may be about, as JSON in attributes."""
    for name, rows in (("varied", varied()), ("quantities", quantities())):
        skeleton = skeleton.replace(f"{{{name}}}", escape(json.dumps(rows, ensure_ascii=False)))
    return skeleton


def _presets() -> list[tuple[gr.Button, dict[str, Any]]]:
    """A button for each of PRESETS, with the values that it fills in."""
    with gr.Row(elem_id="presets"):
        words("<p>Fill in the recipe:</p>")
        return [(gr.Button(title, elem_classes="preset"), values) for title, values in PRESETS.items()]


def _hint(name: str, sentence: str, source: str = "") -> None:
    """The sentence as the script writes it, so that it takes the same room before and after."""
    said = f' <span class="source">Source: {escape(source)}.</span>' if source else ""
    words(f'<p class="hint" data-slot="{name}-hint">{escape(sentence)}{said}</p>')


def _wire(site: gr.Blocks, fields: form.Form, launch: gr.Button) -> None:
    """Connect the form's events to the scripts. All of it runs in the browser: no event goes to the server."""
    parts = list(fields.components.values())
    keys = json.dumps(list(fields.components))

    def call(module: str, function: str) -> str:
        return f"(...values) => {loaded(module)}.then((module) => module.{function}({keys}, values))"

    site.load(None, parts, parts, js=call(FORM_JS, "load"), api_visibility="private")
    gr.on(
        [part.change for part in parts],
        None,
        parts,
        js=call(FORM_JS, "changed"),
        api_visibility="private",
    )
    family = fields.components["family"]
    family.input(
        None,
        family,
        [fields.components["number"], fields.components["stages"]],
        js=f"(name) => {loaded(FORM_JS)}.then((module) => module.familyChosen(name))",
        api_visibility="private",
    )
    gr.on(
        [fields.components[key].input for key in form.POLICY],
        None,
        parts,
        fields.components["init.norm"],
        js=call(FORM_JS, "policyChosen"),
        api_visibility="private",
    )
    launch.click(None, parts, js=call(LAUNCH_JS, "launch"), api_visibility="private")
