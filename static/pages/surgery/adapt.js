/**
 * The card "Adapt without labels": a corruption of the test images and its severity, what they look like then, and the
 * accuracy of the network as trained, with their statistics, and with γ and β adapted to them.
 */

import { h } from "../../base/dom.js";
import { raised, sentence } from "../../base/format.js";
import { adaptedRows } from "./adapted.js";
import { job } from "../../site/job.js";
import { sights } from "./sights.js";

const USUAL = 3; // the severity at the start

/** `parameters`: the response of /api/runs/{id}/parameters. */
export function adapt(run, parameters) {
  const { obstacle, corruptions, worst, defaults } = parameters.adaptation;
  if (obstacle) return card(intro(), h("p", { class: "note" }, sentence(raised(obstacle))));
  const corruption = h(
    "select",
    { class: "select", id: "corruption" },
    corruptions.map(({ name, title }) => h("option", { value: name }, title)),
  );
  const severity = h("input", { type: "range", min: 0, max: worst, step: 1, value: USUAL, id: "severity" });
  const output = h("output", { for: "severity" });
  const fields = settings(defaults);
  const rows = adaptedRows(run, corruptions);
  const pictures = sights(run, parameters);

  const work = job(
    run,
    "Adapt",
    () => {
      fields.clear();
      return { adapt: { corruptions: [corruption.value], severities: [Number(severity.value)], ...fields.values() } };
    },
    ({ request, result }) => rows.add(request.adapt, result),
    ({ problems = [] }) => fields.mark(problems),
  );
  work.button.dataset.does = "adapt";

  function update() {
    const words = severity.value === "0" ? "0: clean" : `${severity.value} of ${worst}`;
    output.textContent = words;
    severity.setAttribute("aria-valuetext", words);
    severity.style.setProperty("--share", severity.value / worst);
    pictures.show(corruption.value, Number(severity.value));
  }
  corruption.addEventListener("change", update);
  severity.addEventListener("input", update);
  const element = card(
    intro(),
    h(
      "div",
      { class: "adapt-form" },
      h(
        "div",
        { class: "adapt-fields" },
        h("div", { class: "adapt-field" }, h("label", { for: "corruption" }, "Corruption"), corruption),
        h(
          "div",
          { class: "adapt-field" },
          h("div", { class: "adapt-line" }, h("label", { for: "severity" }, "Severity"), output),
          h("div", { class: "adapt-slider" }, severity),
        ),
        fields.element,
        work.element,
      ),
      pictures.element,
    ),
    rows.element,
  );
  pictures.begin(element);
  update();
  return element;
}

const card = (...parts) =>
  h("section", { class: "card adapt", "aria-labelledby": "adapt-title" }, h("h2", { id: "adapt-title" }, "Adapt without labels"), parts);

const intro = () =>
  h(
    "p",
    { class: "quiet adapt-words" },
    "Corrupt the test images, and let the network get used to them without their labels. First BatchNorm takes the statistics of each batch of them; then γ and β also step towards more certain predictions, after each batch is predicted (",
    h("a", { href: "https://arxiv.org/abs/2006.10726" }, "TENT"),
    ", our reading). Everything else stays frozen, and so does the run itself.",
  );

/** The settings of the optimiser, folded. {element, values, mark, clear}: `mark` shows problems at their fields. */
function settings(defaults) {
  const lr = h("input", { type: "text", inputmode: "decimal", class: "search", id: "adapt-lr", value: defaults.lr });
  const batch = h("input", { type: "number", class: "search", id: "adapt-batch", min: 2, value: defaults.batch_size });
  const optimizer = h(
    "select",
    { class: "select", id: "adapt-optimizer" },
    ["adam", "sgd"].map((name) => h("option", { value: name }, { adam: "Adam", sgd: "SGD, momentum 0.9" }[name])),
  );
  optimizer.value = defaults.optimizer;
  const inputs = { lr, batch_size: batch, optimizer };
  const titles = { optimizer: "Optimiser", lr: "Learning rate", batch_size: "Test images per batch" };
  const element = h(
    "details",
    { class: "adapt-settings" },
    h("summary", {}, "Settings"),
    Object.entries(titles).map(([name, title]) =>
      h("div", { class: "adapt-field" }, h("label", { for: inputs[name].id }, title), inputs[name]),
    ),
  );

  function clear() {
    element.querySelectorAll(".field-problem").forEach((words) => words.remove());
    for (const input of Object.values(inputs)) for (const name of ["aria-invalid", "aria-describedby"]) input.removeAttribute(name);
  }

  /** Returns whether each problem has a field here. */
  function mark(problems) {
    const placed = problems.map(({ field, sentence: words }) => {
      const name = field.replace("adapt.", "");
      const input = inputs[name];
      if (!input) return false;
      const id = `${input.id}-problem`;
      input.after(h("p", { class: "field-problem", id, role: "alert" }, sentence(words.replace(`adapt.${name}`, titles[name]))));
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", id);
      element.open = true;
      return true;
    });
    return placed.length > 0 && placed.every(Boolean);
  }

  const typed = ({ value }) => (value.trim() === "" || Number.isNaN(Number(value)) ? value : Number(value));
  return {
    element,
    clear,
    mark,
    values: () => ({ optimizer: optimizer.value, lr: typed(lr), batch_size: typed(batch) }),
  };
}
