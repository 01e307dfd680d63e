/**
 * A point for each run: any field or result against any result, such as accuracy against trainable parameters.
 */

import { Chart, layout } from "./plot.js";

/** `points()` returns [{x, y, run, name, group}], `axes()` {x, y: {title, scale, suffix, text, number}, log}. */
export function scatter(element, points, axes) {
  return new Chart(element, "Runs as points", () => {
    const drawn = points();
    return drawn.length ? { data: traces(drawn, axes()), layout: frame(axes(), drawn) } : null;
  });
}

/** One trace per group, so that the legend of a saved picture has a line for each. */
function traces(points, { x, y }) {
  const groups = Map.groupBy ? Map.groupBy(points, ({ group }) => group) : grouped(points);
  return [...groups].map(([group, members]) => {
    return {
      uid: group.uid,
      name: group.name,
      x: members.map((point) => point.x),
      y: members.map((point) => point.y),
      mode: "markers",
      marker: {
        size: 10,
        opacity: 0.85,
        color: group.style.color,
        symbol: group.style.symbol,
        line: { width: 0 },
      },
      customdata: members.map(({ name, run }) => [
        name.replaceAll("<", "&lt;"),
        `${x.title}: ${x.text(x.value(run))}`,
        `${y.title}: ${y.text(y.value(run))}`,
      ]),
      hovertemplate: "%{customdata[2]}<br>%{customdata[1]}<extra>%{customdata[0]}</extra>",
    };
  });
}

function grouped(points) {
  const groups = new Map();
  for (const point of points) groups.set(point.group, [...(groups.get(point.group) ?? []), point]);
  return groups;
}

function decades(points, letter) {
  const values = points.map((point) => point[letter]);
  return Math.log10(Math.max(...values) / Math.min(...values));
}

function frame({ x, y, log }, points) {
  const axis = (field, letter) => ({
    name: field.title + (log.includes(letter) ? " (log)" : ""),
    ticksuffix: field.suffix ?? "",
    type: points.every((point) => typeof point[letter] === "number") ? (log.includes(letter) ? "log" : "linear") : "category",
    ...(log.includes(letter) && decades(points, letter) >= 1 ? { dtick: 1 } : {}),
  });
  return layout({
    uirevision: `${x.key} ${y.key} ${log}`,
    x: axis(x, "x"),
    y: axis(y, "y"),
    hovermode: "closest",
  });
}
