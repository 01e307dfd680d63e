/**
 * Charts with the same axis share their crosshair: each shows its values at the position where one is pointed at.
 */

const charts = new Map();
let busy = false; // showing a label in a chart is itself reported as pointing at it

/** Lets the drawn chart `element` take part; `axis` is the name of what charts share. */
export function share(axis, element, plotly) {
  if (!charts.has(axis)) charts.set(axis, new Set());
  const all = charts.get(axis);
  all.add(element);
  const others = (act) => {
    if (busy) return;
    busy = true;
    for (const other of all) if (!other.isConnected) all.delete(other);
      else if (other !== element && other.offsetParent) act(other);
    busy = false;
  };
  element.on("plotly_hover", ({ xvals }) => xvals && others((other) => plotly.Fx.hover(other, { xval: xvals[0] }, "xy")));
  element.on("plotly_unhover", () => others((other) => plotly.Fx.unhover(other)));
}
