/**
 * Launches the form's run, and opens its page. Says beside the button what the visitor may still launch.
 */

import { visit } from "../../base/address.js";
import { say, show, slot } from "../../base/dom.js";
import { allowance, modeWords } from "../../server/allowance.js";
import { launchRun } from "../../server/api.js";
import { busy, showIn } from "../../site/launch.js";
import { toSpec } from "./form.js";
import { webhookAddress } from "./webhook.js";
import { withLabel, workerLabel } from "./worker_label.js";

/** The room of a class for which the form was opened. */
const room = new URLSearchParams(location.search).get("room");

/** Handles a click on the Launch button: posts the form's spec and opens the run. */
export async function launch(keys, values) {
  const spec = toSpec(Object.fromEntries(keys.map((key, index) => [key, values[index]])));
  const problem = slot(document, "launch-problem");
  foreseen = refusal();
  if (foreseen) return showIn(problem, foreseen);
  await busy(document.getElementById("launch"), problem, async () => {
    const { url } = await withLabel(() => launchRun(spec, { room, label: workerLabel() }, webhookAddress()));
    visit(url);
  });
}

let foreseen = ""; // why the last click launched nothing, without asking the server
let tooDear = ""; // why the form's run costs more than this server allows

const refusal = () => tooDear || allowance.refusal();

allowance.addEventListener("change", tellShare);
allowance.watch();

document.addEventListener("onlybn:form", () => {
  foreseen = "";
  show(slot(document, "launch-problem"), false);
});

document.addEventListener("onlybn:preview", ({ detail }) => {
  tooDear = detail.refusal ?? "";
  allowance.expect(Math.round(detail.price.disk_bytes));
  tellShare();
});

/** Says under the Launch button what is left of the visitor's share, or why nothing can be launched now. */
function tellShare() {
  const why = refusal();
  const mode = why ? "" : modeWords(allowance.value?.mode);
  const place = say(document, "launch-share", why || [mode, allowance.words()].filter(Boolean).join(" "));
  place.dataset.tone = why ? "refused" : mode ? "note" : "";
  show(place, place.textContent !== "");
  const button = document.getElementById("launch");
  button?.setAttribute("aria-disabled", String(Boolean(why)));
  button?.setAttribute("aria-describedby", "launch-share");
  if (button) button.title = why;
  if (why || !foreseen) return; // what the server said stays until the form changes
  foreseen = "";
  show(slot(document, "launch-problem"), false);
}
