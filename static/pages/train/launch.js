/**
 * Launches the form's run, and opens its page.
 */

import { visit } from "../../base/address.js";
import { launchRun } from "../../server/api.js";
import { slot } from "../../base/dom.js";
import { busy } from "../../site/launch.js";
import { toSpec } from "./form.js";

/** Handles a click on the Launch button: posts the form's spec and opens the run. */
export async function launch(keys, values) {
  const spec = toSpec(Object.fromEntries(keys.map((key, index) => [key, values[index]])));
  await busy(document.getElementById("launch"), slot(document, "launch-problem"), async () => {
    const { url } = await launchRun(spec);
    visit(url);
  });
}
