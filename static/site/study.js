/**
 * The tables under a study's figure: the comparisons behind its verdict, its results, and its runs.
 */

import { h } from "../base/dom.js";
import { NONE, percent } from "../base/format.js";
import { badge } from "../base/widgets.js";

const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(1);

function interval({ difference, confidence, method }) {
  if (!difference || difference.low === null) return NONE;
  const level = Number((100 * confidence).toFixed(1));
  return `${signed(difference.low)} to ${signed(difference.high)} (${level}%, ${method})`;
}

/** The comparisons as a closed section, which is filled when the reader opens it; `update(study)`. */
export function numbers() {
  return fold("Numbers behind the verdict", ({ verdict }) => [
    table(
      ["Comparison", "Difference", "Interval", "n", "Decides"],
      verdict.comparisons.map((row) => [
        row.label,
        row.difference ? signed(row.difference.mean) : NONE,
        interval(row),
        String(row.difference?.n ?? 0),
        row.decides ? "yes" : "no",
      ]),
    ),
  ]);
}

/** The results of each setting of the grid: mean and deviation over its replicates. */
export function settings() {
  return fold("Results by setting: mean ± standard deviation", ({ rows, columns }) => [
    table(
      ["Setting", "Runs", ...columns.map(({ title }) => title)],
      rows.map(({ key, wanted, finished, values }) => [
        Object.values(key).join(", "),
        `${finished} of ${wanted}`,
        ...columns.map(({ name, unit }) => spread(values[name], unit)),
      ]),
    ),
  ]);
}

function spread(value, unit) {
  if (!value) return NONE;
  const mean = value.mean.toFixed(unit ? 1 : 3);
  return value.sd === null ? mean + unit : `${mean} ± ${value.sd.toFixed(unit ? 1 : 3)}${unit}`;
}

/** The runs of the study with their states. */
export function members() {
  return fold("All its runs", ({ members }) => [
    table(
      ["State", "Run", "Test accuracy"],
      members.map((member) => [
        badge({ state: member.state }),
        h("span", {}, member.url ? h("a", { href: member.url }, place(member)) : place(member), member.error ? ` ${member.error}` : ""),
        percent(member.top1),
      ]),
    ),
  ]);
}

const place = ({ key, replicate }) => [...Object.values(key), `replicate ${replicate}`].join(", ");

function fold(title, content) {
  const body = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title });
  const element = h("details", { hidden: true }, h("summary", {}, title), body);
  let study = null;
  const fill = () => {
    if (!element.open || !study) return;
    const fresh = h("div", {}, content(study));
    if (!fresh.isEqualNode(body.firstChild)) body.replaceChildren(fresh);
  };
  element.addEventListener("toggle", fill);
  element.update = (now) => {
    study = now;
    element.hidden = !now;
    fill();
  };
  return element;
}

function table(head, rows) {
  return h(
    "table",
    { class: "table" },
    h("thead", {}, h("tr", {}, head.map((title) => h("th", { scope: "col" }, title)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell))))),
  );
}
