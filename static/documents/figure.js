/**
 * Draws figures from data: curves with bands and points with intervals, on axes of numbers, powers or names. The data
 * come from a comparison (static/pages/compare/document.js) or a study (core/documents/study.py). Uses pen.js, which
 * precedes it in the same script.
 *
 * A figure: {words, x: {title, log, tight, names, labels, places, suffix}, y: {log, suffix, digits}, series}. `names`:
 * the positions on an axis without numbers, with `labels`; `places`: [at, text] of ticks. A series: {name, paint, dash,
 * symbol, open, dot, width, faint, line, band, quiet, points}. A point is [x, y, words, low, high] and needs x and y;
 * `band` has [x, low, high]; a `quiet` series has no symbols and no line in the legend.
 */

{
  const { figures } = JSON.parse(document.getElementById("report-data").textContent);
  const { s, path } = pen;
  const DASHES = { dash: "7 4", dot: "2 3", dashdot: "7 3 2 3", longdash: "11 4", longdashdot: "11 3 2 3" };
  const SHAPES = {
    circle: "M0-4.6a4.6 4.6 0 1 1 0 9.2a4.6 4.6 0 1 1 0-9.2",
    square: "M-4.2-4.2h8.4v8.4h-8.4z",
    diamond: "M0-5.6l5.6 5.6l-5.6 5.6l-5.6-5.6z",
    "triangle-up": "M0-5.2l5.4 9.4h-10.8z",
    "triangle-down": "M0 5.2l5.4-9.4h-10.8z",
    cross: "M-1.7-5h3.4v3.3h3.3v3.4h-3.3v3.3h-3.4v-3.3h-3.3v-3.4h3.3z",
    x: "M-2.7-5l2.7 2.7l2.7-2.7l2.3 2.3l-2.7 2.7l2.7 2.7l-2.3 2.3l-2.7-2.7l-2.7 2.7l-2.3-2.3l2.7-2.7l-2.7-2.7z",
    star: "M0-5.8l1.7 3.7l4.1 0.4l-3.1 2.7l0.9 4l-3.6-2.1l-3.6 2.1l0.9-4l-3.1-2.7l4.1-0.4z",
  };
  const DOT = "M0-0.5a0.5 0.5 0 1 1 0 1a0.5 0.5 0 1 1 0-1";
  const HEIGHT = 420;
  const ROOM = 0.06; // space at each end of an axis, as a share of its length
  const MARKED = 60; // a curve with more points has no symbols

  /** Sets a colour as a CSS property, so that it follows the theme; the file's CSP allows that from a script. */
  function painted(element, property, { paint }) {
    element.style.setProperty(property, paint);
    return element;
  }

  function symbol(series, x, y) {
    const { symbol: name = "circle", open = false, dot = false } = series;
    const d = (SHAPES[name] ?? SHAPES.circle) + (dot ? DOT : "");
    const shape = s("path", { d, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`, class: open ? "shape open" : "shape" });
    return painted(shape, open ? "stroke" : "fill", series);
  }

  function stroke(series, d) {
    const { dash, width = 2.2, faint = 1 } = series;
    const made = s("path", { d, class: "curve", "stroke-width": width, opacity: faint, ...(DASHES[dash] ? { "stroke-dasharray": DASHES[dash] } : {}) });
    return painted(made, "stroke", series);
  }

  function whisker(series, on, [at, , , low, high]) {
    const [x, down, up] = [on.x(at), on.y(low), on.y(high)];
    return stroke({ ...series, dash: null, width: 1.4 }, `M${x} ${down}V${up}M${x - 4} ${down}h8M${x - 4} ${up}h8`);
  }

  function marks(series, on) {
    const { points, band = [], line = false, quiet = false } = series;
    const there = points.map(([x, y]) => [on.x(x), on.y(y)]);
    const shaped = !quiet && (!line || points.length <= MARKED);
    return [
      ...(band.length ? [painted(s("path", { class: "band", d: `${path([...band.map(([x, , high]) => [on.x(x), on.y(high)]), ...[...band].reverse().map(([x, low]) => [on.x(x), on.y(low)])])}Z` }), "fill", series)] : []),
      ...(line && there.length ? [stroke(series, path(there))] : []),
      ...points.filter((point) => point.length > 4 && point[3] !== null).map((point) => whisker(series, on, point)),
      ...(shaped ? there.map(([x, y]) => symbol(series, x, y)) : []),
    ];
  }

  /** The ends of an axis around `values`, with some space unless it is `tight`. An axis from near 0 starts at 0. */
  function ends(values, { log = false, names = null, tight = false }) {
    if (names) return [-0.5, names.length - 0.5];
    if (!values.length) return log ? [1, 10] : [0, 1];
    const [low, high] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
    if (log) {
      const factor = Math.max((high / low) ** ROOM, 1.15);
      return [low / factor, high * factor];
    }
    const more = tight ? 0 : ROOM * (high - low || Math.abs(high) || 1);
    return [low >= 0 && low < 0.6 * (high - low) ? 0 : low - more, high + more];
  }

  function prepared({ x, y, series }) {
    const place = new Map((x.names ?? []).map((name, at) => [name, at]));
    return series.map((one) => ({
      ...one,
      points: x.names ? one.points.map(([at, ...rest]) => [place.get(at), ...rest]) : one.points,
      said: ([at, value, words]) => words ?? `${value.toFixed(y.digits ?? 1)}${y.suffix ?? ""}, ${x.title} ${Number(at.toPrecision(5))}`,
    }));
  }

  function made(figure) {
    const { x, y } = figure;
    const series = prepared(figure);
    const points = series.flatMap((one) => one.points);
    const banded = series.flatMap(({ band = [] }) => band);
    const heights = [...points.flatMap(([, at, , low = at, high = at]) => [at, low ?? at, high ?? at]), ...banded.flatMap(([, ...both]) => both)];
    const spread = [...points.map(([at]) => at), ...(x.names ? [] : (x.places ?? []).map(([at]) => at))];
    return {
      x: ends(spread, x),
      y: ends(heights, y),
      log: `${x.log ? "x" : ""}${y.log ? "y" : ""}`,
      places: x.names ? x.names.map((name, at) => [at, x.labels?.[at] ?? name]) : (x.places ?? null),
      title: x.title,
      unit: y.suffix ?? "",
      beside: x.suffix ?? "",
      height: HEIGHT,
      paint: (on) => series.flatMap((one) => marks(one, on)),
      words: () => figure.words,
      read: (_, [px, py], on) => {
        let best = null;
        for (const one of series)
          for (const point of one.points) {
            const at = [on.x(point[0]), on.y(point[1])];
            const away = Math.hypot(at[0] - px, at[1] - py);
            if (!best || away < best.away) best = { away, at, words: `${one.name}: ${one.said(point)}` };
          }
        return best ?? "nothing to read";
      },
    };
  }

  /** The legend below a chart. */
  function legend(place, { series }) {
    const rows = series
      .filter(({ quiet }) => !quiet)
      .map((one) => {
        const swatch = s("svg", { width: 34, height: 12, "aria-hidden": "true" }, ...(one.line ? [stroke(one, "M1 6H33")] : []), symbol(one, 17, 6));
        const row = document.createElement("li");
        row.append(swatch, one.name);
        return row;
      });
    const list = document.createElement("ul");
    list.className = "legend";
    list.append(...rows);
    place.after(list);
  }

  const drawn = Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, made(figure)]));
  for (const place of pen.show((name) => drawn[name]).places) legend(place, figures[place.dataset.chart]);
}
