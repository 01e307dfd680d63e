/**
 * Paper: all charts as they are now, on white whatever the theme is, with the page's address below them.
 */

/** Width and height of a chart in pixels, before print.css scales it: beside another one, or over the whole page. */
const HALF = [468, 168];
const WHOLE = [812, 330];

const charts = new Set();
let dark = false;

/** `chart`: a Chart (plot.js). */
export const printable = (chart) => charts.add(chart);

addEventListener("beforeprint", () => {
  dark = document.body.classList.contains("dark");
  document.body.classList.remove("dark");
  document.body.dataset.address = location.href;
  for (const chart of charts) {
    if (!chart.element.isConnected) charts.delete(chart);
    else if (chart.element.clientWidth) chart.drawForPaper(...(chart.element.closest(".charts") ? HALF : WHOLE));
  }
});

addEventListener("afterprint", () => {
  document.body.classList.toggle("dark", dark || document.body.classList.contains("dark"));
  requestAnimationFrame(() => charts.forEach((chart) => chart.drawForScreen())); // now the page still has paper's layout
});
