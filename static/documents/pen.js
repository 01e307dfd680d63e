/**
 * Draws the charts of a one-file document: axes, marks, and the values at the pointer. The server writes this script
 * into the file together with run.js or figure.js and the numbers. It imports nothing and works from disk without a
 * network.
 */

"use strict";

const pen = (() => {
  const HEIGHT = 260;
  const ROOM = { left: 52, right: 14, top: 10, bottom: 40 };
  const LETTER = 6.6; // approximate width of a letter in a label
  const ROW = 14;
  const ROWS = 4;

  function s(tag, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  /** Round numbers from `low` to `high`, about `count` of them. */
  function ticks([low, high], count) {
    const rough = (high - low) / count || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
    const first = Math.ceil(low / step - 1e-9);
    const found = Math.floor(high / step + 1e-9) - first + 1;
    return Array.from({ length: found }, (_, index) => Number(((first + index) * step).toPrecision(8)));
  }

  /** The powers of ten from `low` to `high`, with 2 and 5 between them if there are few. */
  function decades([low, high]) {
    const wide = high / low > 50;
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1)
      for (const digit of wide ? [1] : [1, 2, 5]) found.push(Number((digit * 10 ** power).toPrecision(6)));
    return found.filter((at) => at >= low * 0.999 && at <= high * 1.001);
  }

  /** `text` in rows of at most `letters` letters; "<br>" begins a row. */
  function rowsOf(text, letters) {
    const rows = [];
    for (const part of String(text).split("<br>")) {
      rows.push("");
      for (const word of part.split(" ")) {
        const longer = `${rows.at(-1)} ${word}`.trim();
        if (longer.length <= letters || !rows.at(-1)) rows[rows.length - 1] = longer;
        else rows.push(word);
      }
    }
    return rows.length > ROWS ? [...rows.slice(0, ROWS - 1), `${rows[ROWS - 1]}…`] : rows;
  }

  const number = (value) => (Math.abs(value) >= 1000 ? value.toLocaleString("en") : String(value));

  /**
   * A chart's background with its axes. In the result `x` and `y` map a value to pixels, `value(px)` maps back. `log`:
   * the logarithmic axes ("", "x", "y", "xy"); `places`: the ticks of the horizontal axis, [[at, text]].
   */
  function plane(width, { x: across, y: up, title, unit = "", beside = "", places = null, log = "", height = HEIGHT }) {
    const lefts = (log.includes("y") ? decades(up) : ticks(up, 6)).map((at) => [at, `${number(at)}${unit}`]);
    const left = Math.max(ROOM.left, 16 + LETTER * Math.max(...lefts.map(([, text]) => text.length)));
    const wide = width - left - ROOM.right;
    const usual = () => (log.includes("x") ? decades(across) : ticks(across, wide / 90)).map((at) => [at, `${number(at)}${beside}`]);
    const bottoms = places ?? usual();
    const letters = places ? Math.max(6, Math.floor(wide / places.length / LETTER) - 1) : 40;
    const labels = bottoms.map(([at, text]) => [at, rowsOf(text, letters)]);
    const base = height - ROOM.bottom - ROW * (Math.max(1, ...labels.map(([, rows]) => rows.length)) - 1);
    const [ofX, backX] = log.includes("x") ? [Math.log10, (at) => 10 ** at] : [(at) => at, (at) => at];
    const ofY = log.includes("y") ? Math.log10 : (at) => at;
    const [low, high, bottom, top] = [...across.map(ofX), ...up.map(ofY)];
    const x = (at) => left + (wide * (ofX(at) - low)) / (high - low || 1);
    const y = (at) => ROOM.top + (base - ROOM.top) * (1 - (ofY(at) - bottom) / (top - bottom || 1));
    const value = (px) => backX(low + ((px - left) / wide) * (high - low));
    const parts = [
      ...lefts.flatMap(([at, text]) => [
        s("line", { class: "grid", x1: left, x2: width - ROOM.right, y1: y(at), y2: y(at) }),
        s("text", { x: left - 8, y: y(at) + 4, "text-anchor": "end" }, text),
      ]),
      ...labels.map(([at, rows]) =>
        s(
          "text",
          { y: base + 17, "text-anchor": "middle" },
          ...rows.map((row, index) => s("tspan", { x: x(at), dy: index ? ROW : 0 }, row)),
        ),
      ),
      s("text", { x: left + wide / 2, y: height - 4, "text-anchor": "middle" }, title),
    ];
    return { x, y, value, parts, height, top: ROOM.top, base, ends: [left, width - ROOM.right] };
  }

  const path = (points) => points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

  const line = ({ x, y }, points, look) => s("path", { class: look, d: path(points.map(([a, b]) => [x(a), y(b)])) });

  const dots = ({ x, y }, points) => points.map(([a, b]) => s("circle", { class: "dot", cx: x(a), cy: y(b), r: 2.8 }));

  const bars = ({ x, y, base }, points, width, look = "bar") =>
    points.map(([at, value]) =>
      s("rect", {
        class: look,
        x: x(at - width / 2).toFixed(1),
        width: Math.max(0.5, x(at + width / 2) - x(at - width / 2)).toFixed(1),
        y: y(value).toFixed(1),
        height: Math.max(0, base - y(value)).toFixed(1),
      }),
    );

  const nearest = (points, at) => points.reduce((a, b) => (Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a));

  /**
   * Draws `figureOf(name)` into each place of the document, again after each change of its width. A figure has the
   * settings of `plane`, `paint(on)`, `words()` for when no pointer is there, and `read(value, place, on)`: the words
   * for the pointer, or {words, at: [px, py]} for a point to mark with a ring. Returns {draw, places}.
   */
  function show(figureOf) {
    function draw(place) {
      const figure = figureOf(place.dataset.chart);
      if (!figure) return;
      const width = Math.max(240, place.clientWidth);
      const on = plane(width, figure);
      const readout = place.closest("figure").querySelector(".readout");
      const words = figure.words();
      const hair = s("line", { class: "at", y1: ROOM.top, y2: on.base, visibility: "hidden" });
      const ring = s("circle", { class: "ring", r: 8, visibility: "hidden" });
      const svg = s("svg", { width, height: on.height, viewBox: `0 0 ${width} ${on.height}`, "aria-hidden": "true" });
      svg.append(...on.parts, ...figure.paint(on), hair, ring);
      svg.addEventListener("pointermove", ({ clientX, clientY }) => {
        const box = svg.getBoundingClientRect();
        const px = Math.min(on.ends[1], Math.max(on.ends[0], clientX - box.left));
        const told = figure.read(on.value(px), [px, clientY - box.top], on);
        const point = typeof told === "string" ? null : told.at;
        readout.textContent = point ? told.words : told;
        hair.setAttribute("visibility", point ? "hidden" : "visible");
        ring.setAttribute("visibility", point ? "visible" : "hidden");
        for (const end of ["x1", "x2"]) hair.setAttribute(end, px);
        if (point) ["cx", "cy"].forEach((name, at) => ring.setAttribute(name, point[at]));
      });
      svg.addEventListener("pointerleave", () => {
        for (const mark of [hair, ring]) mark.setAttribute("visibility", "hidden");
        readout.textContent = words;
      });
      place.replaceChildren(svg);
      readout.textContent = words;
      const title = place.closest("figure").querySelector("h3").textContent;
      place.setAttribute("aria-label", `${title}: ${words}. The tables have the numbers.`);
    }
    const places = [...document.querySelectorAll("[data-chart]")];
    const size = new ResizeObserver((entries) => entries.forEach(({ target }) => draw(target)));
    places.forEach((place) => size.observe(place));
    return { draw, places };
  }

  return { s, path, line, dots, bars, nearest, show };
})();
