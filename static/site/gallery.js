/**
 * The example runs, which came with the project, as cards: what each shows, its curve, and a link that compares all.
 *
 * @typedef {{run: object, tests: [number, number][]}} Example  `tests`: [epoch, test accuracy]
 */

import { ask } from "../server/api.js";
import { architectureTitle, datasetTitle, nameOf } from "../server/catalog.js";
import { policyColor } from "../charts/colors.js";
import { h, s, show } from "../base/dom.js";
import { at } from "../base/place.js";
import { percent, whole } from "../base/format.js";
import { repeat } from "../server/live.js";
import { onTheme } from "../base/theme.js";
import { runMark } from "../base/mark.js";

const [WIDTH, HEIGHT] = [240, 56];
const NUMBERS = { 2: "both", 3: "all three", 4: "all four" };

/** The strip of cards; hidden until examples have been found. */
export function gallery() {
  const list = h("ul", { class: "gallery-cards" });
  const compare = h("a", { class: "button small", hidden: true });
  const words = h("p", { class: "quiet" });
  const element = h(
    "section",
    { class: "gallery", "aria-label": "Examples", hidden: true },
    h("header", {}, h("h2", {}, "Finished runs to explore"), compare),
    words,
    list,
  );
  repeat(async () => {
    const { examples, compare: address } = await ask("/api/examples");
    if (examples.length) {
      words.replaceChildren(...introduction(examples));
      list.replaceChildren(...examples.map(card));
    }
    compare.textContent = `Compare ${NUMBERS[examples.length] ?? `all ${examples.length}`}`;
    if (address) compare.href = at(address);
    show(compare, Boolean(address));
    show(element, examples.length > 0);
    return false;
  });
  return element;
}

function introduction([{ run }]) {
  const { architecture, epochs } = run.spec;
  return [
    runMark(run),
    ` ${architectureTitle(architecture)} on ${datasetTitle(run.spec)}, ${whole(epochs)} epochs, trained in advance `,
    `on ${run.example.machine}. Open any of them and explore it as if it were yours.`,
  ];
}

/** @param {Example} example */
function card({ run, tests }) {
  const { trainable, total } = run.counts;
  return h(
    "li",
    { "data-policy": run.spec.policy },
    h("h3", {}, h("a", { href: run.url }, nameOf(run))),
    h("p", { class: "gallery-shows" }, run.example.shows),
    curve(run.spec.policy, tests),
    h(
      "p",
      { class: "gallery-result" },
      h("b", {}, percent(run.top1)),
      h("span", {}, `test accuracy, ${whole(trainable)} of ${whole(total)} parameters train`),
    ),
  );
}

/** The test accuracy over the epochs, from 0 to 100%, with a thin line at each end. */
function curve(policy, tests) {
  const last = tests.at(-1)[0] || 1;
  const y = (share) => (HEIGHT - 2 - share * (HEIGHT - 4)).toFixed(1);
  const line = s("polyline", {
    points: tests.map(([epoch, top1]) => `${((epoch / last) * WIDTH).toFixed(1)},${y(top1)}`).join(" "),
  });
  const paint = () => (line.style.stroke = policyColor(policy));
  paint();
  onTheme(paint);
  const words = `Test accuracy from ${percent(tests[0][1])} to ${percent(tests.at(-1)[1])} over ${whole(last)} epochs`;
  return s(
    "svg",
    { class: "gallery-curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": words },
    ...[0, 1].map((share) => s("line", { x1: 0, x2: WIDTH, y1: y(share), y2: y(share) })),
    line,
  );
}
