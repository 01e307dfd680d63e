/**
 * The comparison as one HTML file that works from disk without a network: its curves, points and tables as the page
 * shows them. The server supplies the frame of the document (core/documents/document.py), and
 * static/documents/figure.js draws in it.
 */

import { addressOf } from "../../base/address.js";
import { ask } from "../../server/api.js";
import { h } from "../../base/dom.js";
import { curveNumbers, curvesSentence, noteWords } from "./curves.js";
import { fieldOf, said } from "./fields.js";
import { AXES, METRICS, shown } from "./groups.js";
import { BANDS, smoothed } from "../../charts/statistics.js";

const ROWS = 60;

/** The file's text. `curves`: of curvesOf; `scatter`: what its card draws; then the page's two tables. */
export async function comparisonHtml(curves, view, scatter, [runs, differences]) {
  const { pieces } = await ask(`/api/compare/shell${new URL(addressOf(location.href)).search}`);
  const drawn = curves.filter(({ n }) => n);
  const figures = {
    ...(drawn.length ? { curves: curvesFigure(drawn, view) } : {}),
    ...(scatter.points.length ? { scatter: scatterFigure(scatter) } : {}),
  };
  const { title } = METRICS[view.metric];
  const sections = [
    ...(drawn.length
      ? [
          h("h2", {}, "Curves"),
          place("curves", `${title} by ${AXES[view.x].title.toLowerCase()}`),
          h("p", { class: "quiet" }, [howWords(view), noteWords(curves, view, curves.length)].filter(Boolean).join(" ")),
          folded(`${title} as a table`, numbersTable(curveNumbers(curves, view))),
        ]
      : [h("p", {}, "None of these runs has such a curve yet.")]),
    ...(figures.scatter ? [h("h2", {}, "Runs as points"), place("scatter", `${scatter.y.title} by ${scatter.x.title.toLowerCase()}`)] : []),
    h("h2", {}, "Runs"),
    h("div", { class: "card" }, scrolling("Runs", plain(runs))),
    h("h2", {}, "Differences in configuration"),
    differences.rows.length
      ? h("div", { class: "card" }, scrolling("Differences in configuration", plain(differences)))
      : h("p", {}, "The configurations of these runs are identical."),
  ];
  const body = sections.map((element) => element.outerHTML).join("\n");
  return pieces[0] + body + pieces[1] + JSON.stringify({ figures }).replaceAll("<", "\\u003c") + pieces[2];
}

const place = (name, title) =>
  h(
    "div",
    { class: "charts wide" },
    h(
      "figure",
      {},
      h("figcaption", {}, h("h3", {}, title), h("p", { class: "readout" })),
      h("div", { class: "plot", "data-chart": name, role: "img", "aria-label": title }),
    ),
  );

const scrolling = (label, table) => h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: ${label}` }, table);

const folded = (title, table) => h("details", { class: "card" }, h("summary", {}, title), scrolling(title, table));

/** The numbers of a chart as a table of evenly chosen rows (about ROWS), always with the last. */
function numbersTable({ columns, rows, note }) {
  const stride = Math.ceil(rows.length / ROWS);
  const shown = rows.filter((_, at) => at % stride === 0 || at === rows.length - 1);
  const cell = (value, at) => (value === null ? "" : columns[at].text(value));
  return h(
    "table",
    {},
    h("caption", {}, stride > 1 ? `${note} Every ${stride}th row; the CSV has all rows.` : note),
    h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col" }, column.title)))),
    h("tbody", {}, shown.map((row) => h("tr", {}, row.map((value, at) => h(at ? "td" : "th", { scope: at ? null : "row" }, cell(value, at)))))),
  );
}

/** A table of the page without its controls: cells as text, links with the full address. */
function plain(table) {
  const rows = [...table.rows].map((row) => [...row.cells]);
  const silent = new Set(rows[0]?.flatMap((_, at) => (rows.slice(1).every((row) => !row[at] || !words(row[at])) && !rows[0][at].querySelector("button") ? [at] : [])));
  const made = rows.map((cells) =>
    h(
      "tr",
      {},
      cells
        .filter((_, at) => !silent.has(at))
        .map((cell) => {
          const link = cell.querySelector("a[href]");
          return h(
            cell.tagName,
            { class: cell.classList.contains("number") ? null : "text", scope: cell.getAttribute("scope"), "data-differs": cell.hasAttribute("data-differs") },
            link ? linked(link, words(cell, "a")) : words(cell),
          );
        }),
    ),
  );
  return h("table", {}, h("thead", {}, made.slice(0, 1)), h("tbody", {}, made.slice(1)));
}

/** `link` with the full address, and the text beside it. */
const linked = (link, beside) => [
  h("a", { href: new URL(link.getAttribute("href"), location.href).href, rel: "noreferrer" }, link.textContent),
  beside ? ` · ${beside}` : null,
];

/** The visible text of a cell, without the parts `without`. */
function words(cell, ...without) {
  const copy = cell.cloneNode(true);
  for (const part of copy.querySelectorAll([...without, "button:not(.sort)", ".offscreen", "svg"].join())) part.remove();
  return [...copy.childNodes].map((node) => node.textContent.trim()).filter(Boolean).join(" ");
}

/** The drawing of the curves in words. */
function howWords({ group, band, singles }) {
  if (group[0] === "run") return "Each line is a run.";
  const by = group[0] === "setting" ? "setting, replicates together" : group.map((key) => fieldOf(key).title.toLowerCase()).join(" and ");
  const around = band === "none" ? "" : ` Around each mean: ${BANDS[band].title.toLowerCase()}.`;
  return `Runs are grouped by ${by}; a line is the mean of its group.${around}${singles ? " Thin lines are single runs." : ""}`;
}

function curvesFigure(drawn, view) {
  const { suffix, digits } = METRICS[view.metric];
  return {
    words: curvesSentence(drawn, view),
    x: { title: AXES[view.x].name, tight: true },
    y: { suffix, digits },
    series: drawn.flatMap((group) => series(group, view)),
  };
}

/** The series of a group, as overlay.js draws it. */
function series({ name, n, members, singles, mean, style }, view) {
  const { paint, dash, symbol } = style;
  const look = { paint, dash, symbol, line: true };
  const alone = n > 1 && (view.singles || !mean.length);
  const label = members.length > 1 ? `${name}, n = ${n}` : name;
  return [
    ...(alone ? singles.map(({ data, points }) => curve(data.run.name || `${name}, replicate ${data.run.spec.replicate}`, points, view, { ...look, quiet: true, width: 1, faint: 0.45 })) : []),
    ...lines(label, n === 1 ? singles[0].points : mean, view, look),
  ];
}

/** The series of a curve with its band; a smoothed curve has its raw form behind it. */
function lines(name, points, view, look) {
  const band = points.flatMap(({ x, ends }) => (ends ? [[short(x), ...ends.map(short)]] : []));
  if (!view.smooth) return [{ ...curve(name, points, view, look), band }];
  const even = smoothed(points.map(({ y }) => y), view.smooth);
  const raw = curve(name, points, view, { ...look, quiet: true, width: 1, faint: 0.3 });
  return [{ ...raw, band }, curve(`${name}, smoothed`, points.map((point, at) => ({ ...point, y: even[at], ends: null })), view, look)];
}

const curve = (name, points, view, look) => ({
  name,
  ...look,
  points: points.map(({ x, y, ends }) => [short(x), short(y), ...(ends ? [reading(x, y, ends, view)] : [])]),
});

function reading(x, y, ends, { metric, x: axis }) {
  const { digits, suffix } = METRICS[metric];
  return `${shown(metric, y)} (${ends.map((end) => end.toFixed(digits)).join(" to ")}${suffix}), ${AXES[axis].title.toLowerCase()} ${short(x)}`;
}

const short = (value) => Number(value.toPrecision(6));

function scatterFigure({ points, x, y, log }) {
  const numbers = points.every((point) => typeof point.x === "number");
  const names = numbers ? null : [...new Set(points.map((point) => String(point.x)))];
  const groups = new Map();
  for (const point of points) groups.set(point.group, [...(groups.get(point.group) ?? []), point]);
  return {
    words: `${points.length} ${points.length === 1 ? "run" : "runs"}; each is a point with the colour and symbol of its group.`,
    x: { title: x.title + (log.includes("x") && numbers ? " (logarithmic)" : ""), log: numbers && log.includes("x"), suffix: x.suffix ?? "", names },
    y: { suffix: y.suffix ?? "", log: log.includes("y") },
    series: [...groups].map(([{ name, style }, members]) => ({
      name,
      paint: style.paint,
      symbol: style.symbol,
      points: members.map((point) => [numbers ? short(point.x) : String(point.x), short(point.y), `${point.name}: ${said(y, point.run)}, ${said(x, point.run)}`]),
    })),
  };
}
