/**
 * More epochs for a finished run: a new run that starts from its trained network. The form explains the limits.
 */

import { guard } from "../../../server/allowance.js";
import { launchRun } from "../../../server/api.js";
import { titleOfValue } from "../../../server/catalog.js";
import { h, show } from "../../../base/dom.js";
import { lowered } from "../../../base/format.js";
import { toast } from "../../../base/toast.js";

const MOST = 400;

export function extend(data) {
  const { run } = data;
  const { epochs, recipe } = run.spec;
  const number = h("input", { type: "number", min: 1, max: MOST, value: epochs, required: true, id: "more-epochs" });
  const button = h("button", { type: "submit", class: "button primary" }, "Launch");
  const schedule = lowered(titleOfValue("schedule", recipe.schedule));
  const form = h(
    "form",
    { class: "extend" },
    h("label", { for: "more-epochs" }, "More epochs"),
    h("div", { class: "extend-row" }, number, button),
    h(
      "p",
      { class: "quiet" },
      `A new run starts from this trained network, including γ, β and running statistics, with a new learning-rate ` +
        `schedule: ${recipe.lr}, ${schedule}.`,
    ),
    h(
      "p",
      { class: "quiet" },
      "This is not identical to one longer run: the schedule, the optimiser’s momentum and the image order restart.",
    ),
  );
  const element = h("details", { class: "menu", hidden: true }, h("summary", { class: "button" }, "Extend"), form);
  guard(button, 1, (why) => toast(why, { wrong: true }));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    button.textContent = "Launching…";
    const more = Number(number.value);
    const name = `${run.id} + ${more} epochs, new schedule`;
    try {
      const launched = await launchRun({ ...run.spec, name, epochs: more, start: { run: run.id } });
      location.assign(launched.url);
    } catch (refusal) {
      toast(refusal.message, { wrong: true });
      button.disabled = false;
      button.textContent = "Launch";
    }
  });
  const trains = recipe.optimizer !== "least-squares";
  data.addEventListener("change", () => show(element, trains && data.run.state === "finished" && !data.run.lost));
  return element;
}
