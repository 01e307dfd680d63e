/**
 * One question: its row, and what it shows when it is open. It keeps the studies of the question at each scale, those
 * of this server before those that came with the project.
 */

import { h } from "../../base/dom.js";
import { detail } from "./detail.js";
import { row } from "./row.js";
import { isActive } from "../../server/studies.js";

const SCALES = ["minutes", "evening", "paper"];

/** `question` as the server lists it; `changed(card)` is called after each choice or action of the reader. */
export function card(question, changed) {
  const studies = new Map();
  const shipped = new Map();
  let chosen = null;
  let body = null;

  const head = row(question);
  const element = h("details", { class: "card question", id: question.name, "aria-labelledby": `${question.name}-title` }, head);

  const at = (scale) => studies.get(scale) ?? shipped.get(scale) ?? null;

  /** Of all scales that of the most telling study: one under way, else the largest decided, else the largest. */
  function best() {
    const there = SCALES.filter(at).reverse();
    return (
      there.find((scale) => isActive(at(scale))) ??
      there.find((scale) => at(scale).verdict.outcome !== "undecided") ??
      there.find((scale) => at(scale).state === "finished") ??
      there[0] ??
      SCALES[0]
    );
  }

  function open() {
    body ??= element.appendChild(
      detail(self, {
        choose(scale) {
          chosen = scale;
          update();
          changed(self);
        },
        took(study) {
          self.put(study);
          changed(self);
        },
      }),
    );
    body.update();
  }

  function update() {
    head.update(at(best()));
    if (body) body.update();
  }

  element.addEventListener("toggle", () => {
    if (!element.open) return;
    open();
    changed(self);
  });

  const self = {
    element,
    question,
    name: question.name,
    /** Shows a study. */
    put(study) {
      self.take(study);
      chosen = study.scale;
      self.open();
      update();
    },
    /** Takes a study from the server's list. */
    take(study) {
      (study.shipped ? shipped : studies).set(study.scale, study);
      update();
    },
    choose(scale) {
      chosen = scale;
      self.open();
    },
    open() {
      element.open = true;
      open();
    },
    get scale() {
      return chosen ?? best();
    },
    /** Whether the reader has chosen a scale other than the one that shows by itself. */
    get chosen() {
      return chosen !== null && chosen !== best();
    },
    get study() {
      return at(self.scale);
    },
    /** The queued or running studies of this server. */
    get active() {
      return [...studies.values()].filter(isActive);
    },
  };
  update();
  return self;
}
