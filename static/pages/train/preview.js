/**
 * The preview beside the form: how much would train, the network's picture, the expected time, and warnings.
 */

import { ask } from "../../server/api.js";
import { architectureTitle, datasetOf, parseArchitecture, policyOf } from "../../server/catalog.js";
import { networkPicture } from "../../charts/network/picture.js";
import { copyButton, h, say, show, slot } from "../../base/dom.js";
import { compact, percent, range, whole } from "../../base/format.js";
import { takeCopied } from "../../site/copied.js";
import { current } from "./form.js";
import "./launch.js"; // it hears of each preview
import { parts } from "./parts.js";
import { mark, unfold } from "./problems.js";
import { mountStart } from "./start.js";

const RETRY_MS = 2000;

export function mount(element) {
  mountStart(element.firstElementChild);
  const copied = takeCopied();
  if (copied) show(say(document, "copied", `${copied} Change one thing and launch.`), true);
  const network = networkPicture(slot(element, "network"), slot(element, "legend"));
  let asked = 0;

  async function update(spec) {
    const turn = (asked += 1);
    hints(spec);
    element.firstElementChild.dataset.state = "asking";
    try {
      const preview = await ask("/api/preview", spec);
      if (turn !== asked) return;
      fill(element, spec, preview);
      network.draw(preview.plan);
      commandLine(preview.cli);
      document.dispatchEvent(new CustomEvent("onlybn:preview", { detail: preview }));
      settle(element, []);
    } catch (refusal) {
      if (turn !== asked) return;
      await unfold(refusal.problems);
      if (turn !== asked) return;
      settle(element, refusal.problems.length ? refusal.problems : [{ field: "", sentence: refusal.message }]);
      if (refusal.passing) setTimeout(() => turn === asked && update(spec), Math.max(RETRY_MS, refusal.retry_ms));
    }
  }

  document.addEventListener("onlybn:form", ({ detail }) => update(detail));
  if (current) update(current);
}

/** Shows the sentences under the form's choices, which are outside this panel. */
function hints(spec) {
  const { sentence, source } = policyOf(spec.policy);
  const hint = slot(document, "policy-hint");
  if (hint && hint.dataset.policy !== spec.policy) {
    hint.dataset.policy = spec.policy;
    hint.replaceChildren(`${sentence} `, ...(source ? [h("span", { class: "source" }, `Source: ${source}.`)] : []));
  }
  say(document, "architecture-hint", parseArchitecture(spec.architecture)?.family.sentence ?? "");
  say(document, "dataset-hint", datasetOf(spec.dataset).sentence);
}

function fill(element, spec, preview) {
  const { counts, share, macs_per_image, steps, estimate_s, warnings } = preview;
  say(element, "title", architectureTitle(spec.architecture));
  say(element, "trainable", whole(counts.trainable));
  say(element, "total", whole(counts.total));
  const train = verb(preview);
  say(element, "noun", `parameters ${train}`);
  say(element, "share", percent(share));
  slot(element, "bar").style.setProperty("--share", share);
  say(element, "time", range(estimate_s));
  say(element, "steps", whole(steps));
  say(element, "price", priceWords(preview));
  show(slot(element, "price-row"), preview.cap.processor_s > 0);
  say(element, "macs", compact(macs_per_image));
  say(document, "launch-summary", `${architectureTitle(spec.architecture)}: ${whole(counts.trainable)} of ${whole(counts.total)} ${train}, ${range(estimate_s)}`);
  slot(element, "parts").replaceChildren(...parts(preview));
  slot(element, "warnings").replaceChildren(...warnings.map((warning) => h("li", {}, warning)));
}

/** What the parameters that count do: `train`, `get a score`, or both. */
function verb({ parts, plan }) {
  if (!plan.keep) return "train";
  return parts.some(({ trainable, scored }) => trainable && !scored) ? "train or get a score" : "get a score";
}

/** `about 3 minutes of a core; at most 60 here` */
function priceWords({ price, cap }) {
  const most = cap.processor_s / 60;
  const minutes = price.processor_s / 60;
  const words = minutes < 1.5 ? `${whole(price.processor_s)} seconds` : `${whole(minutes)} minutes`;
  return `about ${words} of a core; at most ${most < 2 ? `${whole(cap.processor_s)} seconds` : `${whole(most)}${minutes < 1.5 ? " minutes" : ""}`} here`;
}

/** Shows the command line below the Launch button, in a panel of its own. */
function commandLine(text) {
  const cli = say(document, "cli", text);
  const place = slot(document, "copy");
  if (!place.hasChildNodes()) place.append(copyButton("Copy", () => cli.textContent, "button small"));
}

/** Shows the `problems` of the form, at their fields and in the preview; none: it can be launched. */
function settle(element, problems) {
  const refused = problems.length > 0;
  element.firstElementChild.dataset.state = refused ? "refused" : "ready";
  const message = slot(element, "problem");
  const told = mark(problems);
  if (message.textContent !== told.map(({ textContent }) => textContent).join("")) message.replaceChildren(...told);
  show(message, refused);
  if (refused) say(document, "launch-summary", "This run cannot be launched yet.");
  const launch = document.getElementById("launch");
  if (launch && launch.getAttribute("aria-busy") !== "true") launch.disabled = refused;
}
