/**
 * The page's curves and its points as short Python scripts that draw them with plotly. The scripts contain their data,
 * compute means and bands, and need nothing of this project.
 */

import { csv } from "../../base/csv.js";
import { curveRows, pointRows } from "./exports.js";
import { AXES, METRICS } from "./groups.js";
import { CONFIDENCE, tQuantile } from "../../charts/statistics.js";

/** The script for the curves of `curvesOf`; `address` is the page's link. */
export function pythonScript(curves, view, address) {
  const { title, scale, suffix } = METRICS[view.metric];
  const drawn = curves.filter(({ n }) => n);
  const styles = drawn.map(({ name, style }) => `    ${quoted(name)}: (${quoted(style.color)}, ${quoted(style.dash)}),`);
  const freedoms = [...new Set(drawn.map(({ n }) => n - 1).filter((n) => n > 0))].sort((a, b) => a - b);
  const table = freedoms.map((freedom) => `${freedom}: ${tQuantile(CONFIDENCE, freedom).toFixed(6)}`).join(", ");
  const seconds = drawn.flatMap(({ singles }) => singles.map(({ data, points }) => `${quoted(data.id)}: ${secondsAStep(points)}`));
  return `${opening(title, address)}
import csv
import io
import statistics
from pathlib import Path

import plotly.graph_objects as go

X = "${view.x}"  # epoch, step or seconds
BAND = "${view.band}"  # t (95% interval of the mean), sd, range or none
SINGLES = ${view.singles ? "True" : "False"}  # each run as a thin line behind its group's mean
SCALE, SUFFIX = ${scale}, ${quoted(suffix)}
T = {${table}}  # Student's t for 95%, by degrees of freedom
SECONDS_A_STEP = {${view.x === "seconds" ? seconds.join(", ") : ""}}
STYLES = {  # colour and dash of each group
${styles.join("\n")}
}


def read():
    """{group: {run: {step or epoch: (x, y)}}}"""
    groups = {}
    for row in csv.DictReader(io.StringIO(DATA)):
        step, epoch = int(row["step"]), float(row["epoch"])
        x = step * SECONDS_A_STEP[row["run"]] if X == "seconds" else step if X == "step" else epoch
        curve = groups.setdefault(row["group"], {}).setdefault(row["run"], {})
        curve[step if X == "step" else epoch] = (x, SCALE * float(row["value"]))
    return groups


def ends(values):
    """The ends of the band around the mean of \`values\`; None where there is none."""
    if len(values) < 2 or BAND == "none":
        return None
    if BAND == "range":
        return min(values), max(values)
    mean, half = statistics.fmean(values), statistics.stdev(values)
    if BAND == "t":
        half *= T[len(values) - 1] / len(values) ** 0.5
    return mean - half, mean + half


def traces(name, runs):
    """The mean over the steps that all runs have, its band, and the runs themselves."""
    color, dash = STYLES[name]
    common = [at for at in next(iter(runs.values())) if all(at in curve for curve in runs.values())]
    x = [statistics.fmean(curve[at][0] for curve in runs.values()) for at in common]
    values = [[curve[at][1] for curve in runs.values()] for at in common]
    if len(runs) > 1 and (SINGLES or not common):
        for run, curve in runs.items():
            own = list(curve.values())
            line = {"color": color, "width": 1, "dash": dash}
            yield go.Scatter(x=[p[0] for p in own], y=[p[1] for p in own], line=line, mode="lines", opacity=0.45,
                             name=run, showlegend=False)
    band = [ends(row) for row in values]
    if any(band):
        yield go.Scatter(x=x + x[::-1], y=[high for _, high in band] + [low for low, _ in band[::-1]], fill="toself",
                         fillcolor=color, opacity=0.16, line={"width": 0}, hoverinfo="skip", showlegend=False)
    yield go.Scatter(x=x, y=[statistics.fmean(row) for row in values], mode="lines", name=f"{name} (n = {len(runs)})",
                     line={"color": color, "dash": dash, "width": 2.2})


def figure():
    data = [trace for name, runs in read().items() for trace in traces(name, runs)]
    made = go.Figure(data)
    made.update_layout(template="plotly_white", xaxis_title=${quoted(AXES[view.x].name)}, yaxis_title=${quoted(title)}, yaxis_ticksuffix=SUFFIX)
    return made


${ending(curveRows(drawn, view, scale))}`;
}

/** The script for the `points` of the scatter chart. */
export function pointsScript(points, axes, address) {
  const { x, y, log } = axes;
  const groups = new Map(points.map(({ group }) => [group.name, group.style]));
  const styles = [...groups].map(([name, { color, symbol }]) => `    ${quoted(name)}: (${quoted(color)}, ${quoted(symbol)}),`);
  const numbers = points.every((point) => typeof point.x === "number");
  const type = (letter) => (log.includes(letter) ? "log" : "linear");
  const rows = pointRows(points, axes);
  const placed = numbers ? rows : rows.map((row, at) => (at ? [...row.slice(0, 3), points[at - 1].x, row[4]] : row));
  return `${opening(`${y.title} by ${x.title.toLowerCase()}`, address)}
import csv
import io
from pathlib import Path

import plotly.graph_objects as go

X, X_TITLE, X_TYPE, X_SCALE, X_SUFFIX = ${[x.key, x.title, numbers ? type("x") : "category"].map(quoted).join(", ")}, ${x.scale ?? 1}, ${quoted(x.suffix ?? "")}
Y, Y_TITLE, Y_TYPE, Y_SCALE, Y_SUFFIX = ${[y.key, y.title, type("y")].map(quoted).join(", ")}, ${y.scale ?? 1}, ${quoted(y.suffix ?? "")}
STYLES = {  # colour and symbol of each group
${styles.join("\n")}
}


def read():
    """{group: [(name, x, y)]}"""
    groups = {}
    for row in csv.DictReader(io.StringIO(DATA)):
        x = row[X] if X_TYPE == "category" else X_SCALE * float(row[X])
        groups.setdefault(row["group"], []).append((row["name"] or row["run"], x, Y_SCALE * float(row[Y])))
    return groups


def figure():
    made = go.Figure()
    for name, points in read().items():
        color, symbol = STYLES[name]
        made.add_scatter(x=[x for _, x, _ in points], y=[y for _, _, y in points], text=[run for run, _, _ in points],
                         name=name, mode="markers", marker={"color": color, "symbol": symbol, "size": 10, "opacity": 0.85})
    made.update_layout(template="plotly_white", hovermode="closest", showlegend=True)
    made.update_xaxes(title=X_TITLE, type=X_TYPE, ticksuffix=X_SUFFIX)
    made.update_yaxes(title=Y_TITLE, type=Y_TYPE, ticksuffix=Y_SUFFIX)
    return made


${ending(placed)}`;
}

/** The same as a Jupyter notebook: `script` without its main part, and the figure. */
export function notebook(script, address) {
  const cell = (id, kind, text) => ({
    id,
    cell_type: kind,
    metadata: {},
    source: text.split(/(?<=\n)/),
    ...(kind === "code" ? { execution_count: null, outputs: [] } : {}),
  });
  const cells = [
    cell("told", "markdown", `# Runs of OnlyBN\n\nMade from <${address}>. Needs plotly.`),
    cell("made", "code", script.split('\nif __name__ == "__main__":')[0].trimEnd()),
    cell("shown", "code", "figure()"),
  ];
  const kernelspec = { name: "python3", display_name: "Python 3", language: "python" };
  return JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec, language_info: { name: "python" } }, cells }, null, 1);
}

const opening = (title, address) => `"""${title} of runs of OnlyBN, drawn again. Needs plotly only; writes an HTML file beside this one.

Made from ${address.replaceAll("\\", "").replaceAll('"', "")}
"""
`;

/** The end of a script: its data and its main part. */
const ending = (rows) => `DATA = """\\
${csv(rows, false).replaceAll("\r\n", "\n").replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"""

if __name__ == "__main__":
    file = Path(__file__).with_suffix(".html")
    figure().write_html(file)
    print(f"The figure is in {file}.")
`;

const quoted = (text) => JSON.stringify(text);

/** Seconds per step, which are equal for all points of a run. */
function secondsAStep(points) {
  const last = points.at(-1);
  return last.step ? last.x / last.step : 0;
}
