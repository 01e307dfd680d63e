/**
 * A Plotly figure in our style. It keeps the reader's zoom through updates and changes of theme, follows the size of
 * its element, and is drawn again only while it is in view.
 */

import { at } from "../base/place.js";
import { onTheme, token } from "../base/theme.js";
import { share } from "./crosshair.js";
import { printable } from "./print.js";

const RETRY_MS = 2000;
const UNSEEN_MS = 400;
const CALM_MS = 2000;
const SOURCE = at("/static/plotly.min.js");
const CONFIG = {
  displayModeBar: false, // its buttons would cover the legend and be stops of the Tab key; pictures have a menu
  responsive: false,
};

/** Margins for the marks alone; Plotly adds space for ticks and titles. */
const MARGIN = { l: 8, r: 12, t: 10, b: 8 };

let loading = null;
let last = Promise.resolve();

/** Resolves when it is the caller's turn to draw: one chart a task, so that the page answers between two of them. */
function turn() {
  last = last.then(() => new Promise((resolve) => setTimeout(resolve)));
  return last;
}

/** Loads Plotly once, for the first chart, and keeps a reference, because other code may replace window.Plotly. */
function load() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = SOURCE;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      loading = null;
      script.remove();
      reject(new Error("Plotly could not be loaded"));
    };
    document.head.append(script);
  });
  return loading;
}

/** The layout that all charts share; `x`, `y` are axis settings, `rest` anything else. */
export function layout({ x = {}, y = {}, ...rest } = {}) {
  const [ink, quiet, line, surface] = ["ink", "quiet", "line", "surface"].map(token);
  const font = { family: token("font"), size: 12, color: quiet };
  const axis = (own) => ({
    gridcolor: line,
    linecolor: line,
    zeroline: false,
    ticks: "",
    automargin: true,
    title: { text: own.name ?? "", font, standoff: 8 },
    ...own,
  });
  return {
    uirevision: "keep",
    font,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    margin: MARGIN,
    hoverlabel: { bgcolor: surface, bordercolor: line, font: { ...font, color: ink } },
    legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", font: { ...font, color: ink } },
    showlegend: false,
    dragmode: "zoom",
    xaxis: axis(x),
    yaxis: axis(y),
    ...rest,
  };
}

/** The layout of a chart over the epochs of `run`, with one crosshair for all its curves; `rest` as above. */
export function overEpochs({ spec }, { x = {}, ...rest }) {
  return layout({ ...rest, ...crosshair, x: { name: "epoch", range: [0, spec.epochs], autorange: false, ...hovered("epoch"), ...x } });
}

/** Layout: one label with the values of all curves at the position of the pointer. */
export const crosshair = { hovermode: "x unified", hoversort: "value descending", hoverdistance: 40 };

/** Settings of an x axis under a crosshair: `epoch 12.5` over the values. */
export const hovered = (name) => ({ hoverformat: ".4~g", unifiedhovertitle: { text: `${name} %{x:.4~g}` } });

/** Dispatches "refresh" when its content changes. `table()`: its numbers (numbers.js), null while there are none. */
export class Chart extends EventTarget {
  #element;
  #figure;
  #click;
  #axis;
  #words;
  #plotly = null;
  #seen = false;
  #stale = true;
  #queued = false;
  #calm = null;

  /**
   * `figure()` returns the present {data, layout}, null while there is nothing to show. `click(x)` is called after a
   * click on a mark with its position on the x axis. `table()`: see above. Charts with the same `axis`, a name, share
   * their crosshair.
   */
  constructor(element, label, figure, { click = null, table = () => null, axis = null } = {}) {
    super();
    this.#axis = axis;
    this.#element = element;
    this.#figure = figure;
    this.#click = click;
    this.#words = label;
    this.table = table;
    // The element contains Plotly's buttons, so it is a group; only the drawing in it is an image.
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", label);
    const visible = new IntersectionObserver(
      (entries) => {
        this.#seen = entries.at(-1).isIntersecting;
        this.#schedule();
      },
      { rootMargin: "200px" },
    );
    const size = new ResizeObserver(() => this.#fit());
    visible.observe(element);
    size.observe(element);
    onTheme(() => this.refresh());
    printable(this);
  }

  get element() {
    return this.#element;
  }

  /** Draws the present figure at once, in this size: the page goes to the printer next. */
  drawForPaper(width, height) {
    this.#drawNow({ width, height });
  }

  /** Draws for the screen again. */
  drawForScreen() {
    this.#drawNow();
    this.#fit(); // after the drawing without a size, because Plotly would keep the size it has
  }

  #drawNow(size = {}) {
    const figure = this.#plotly && this.#figure();
    if (figure) this.#plotly.react(this.#element, figure.data, { ...figure.layout, ...size }, CONFIG);
  }

  #fit() {
    if (this.#plotly && this.#element.offsetParent) this.#plotly.Plots.resize(this.#element);
  }

  /** Draws the chart again after a change of its data. */
  refresh() {
    this.#stale = true;
    this.#schedule();
    // Out of view it is drawn again when its data have come to rest, so that it can be printed.
    clearTimeout(this.#calm);
    this.#calm = setTimeout(() => this.#schedule(true), CALM_MS);
    this.dispatchEvent(new Event("refresh"));
  }

  /** Sets the description of the chart. */
  describe(text) {
    this.#words = text;
    this.#element.setAttribute("aria-label", text);
    this.#name();
  }

  /** Labels the drawing. Plotly makes several layers; the others are hidden from screen readers. */
  #name() {
    const [first, ...rest] = this.#element.querySelectorAll(".main-svg");
    if (!first) return;
    first.setAttribute("role", "img");
    first.setAttribute("aria-label", this.#words);
    for (const layer of rest) layer.setAttribute("aria-hidden", "true");
  }

  /** The present picture as a data URL, "png" or "svg", on the page's background; `changes` override the layout. */
  async image(format, { width, height, ...changes }) {
    const figure = this.#figure();
    if (!figure) throw new Error("there is nothing to draw yet");
    const { data, layout } = figure;
    const plotly = await load();
    const whole = { ...layout, paper_bgcolor: token("surface"), plot_bgcolor: token("surface"), ...changes };
    return plotly.toImage({ data, layout: whole, config: CONFIG }, { format, width, height, scale: format === "png" ? 2 : 1 });
  }

  /** Queues a drawing. Out of view are made only the first, and one when the data are `calm`. */
  #schedule(calm = false) {
    const first = !this.#element.dataset.drawn;
    if (this.#queued || !this.#stale || !(this.#seen || first || calm)) return;
    this.#queued = true;
    if (this.#seen) requestAnimationFrame(() => this.#draw());
    else setTimeout(() => this.#draw(), UNSEEN_MS);
  }

  async #draw() {
    try {
      if (this.#figure()) {
        this.#plotly = await load();
        await turn();
      }
      const figure = this.#figure();
      this.#stale = false;
      if (figure && this.#plotly) {
        await this.#plotly.react(this.#element, figure.data, figure.layout, CONFIG);
        if (!this.#element.dataset.drawn) this.#listen();
        this.#element.dataset.drawn = "true";
        this.#name();
      }
    } catch {
      // Loading Plotly failed because the server cannot be reached; the page says so elsewhere.
      this.#stale = true;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    this.#queued = false;
    this.#schedule();
  }

  #listen() {
    if (this.#click) this.#element.on("plotly_click", ({ points }) => this.#click(points[0].x));
    if (this.#axis) share(this.#axis, this.#element, this.#plotly);
  }
}
