/**
 * The page's curves as a short Python script that draws them again with plotly. It carries its data, computes means
 * and bands itself, and needs nothing of ours.
 */

import { curvesCsv } from "./exports.js";
import { AXES, METRICS } from "./groups.js";
import { CONFIDENCE, tQuantile } from "./statistics.js";

/** The script for the curves of `curvesOf`; `address` is the link of the page. */
export function pythonScript(curves, view, address) {
  const { title, scale, suffix } = METRICS[view.metric];
  const drawn = curves.filter(({ n }) => n);
  const styles = drawn.map(({ name, style }) => `    ${quoted(name)}: (${quoted(style.color)}, ${quoted(style.dash)}),`);
  const freedoms = [...new Set(drawn.map(({ n }) => n - 1).filter((n) => n > 0))].sort((a, b) => a - b);
  const table = freedoms.map((freedom) => `${freedom}: ${tQuantile(CONFIDENCE, freedom).toFixed(6)}`).join(", ");
  const paces = drawn.flatMap(({ singles }) => singles.map(({ data, points }) => `${quoted(data.id)}: ${pace(points)}`));
  return `"""${title} of runs of OnlyBN, drawn again. Needs plotly only; writes an HTML file beside this one.

Made from ${address.replaceAll("\\", "").replaceAll('"', "")}
"""

import csv
import io
import statistics
from pathlib import Path

import plotly.graph_objects as go

X = "${view.x}"  # epoch, step or seconds
BAND = "${view.band}"  # t (95 % interval of the mean), sd, range or none
SINGLES = ${view.singles ? "True" : "False"}  # each run as a thin line behind its group's mean
SCALE, SUFFIX = ${scale}, ${quoted(suffix)}
T = {${table}}  # Student's t for 95 %, by degrees of freedom
SECONDS_A_STEP = {${view.x === "seconds" ? paces.join(", ") : ""}}
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


DATA = """\\
${curvesCsv(drawn, view, scale).replaceAll("\r\n", "\n").replaceAll("\\", "\\\\").replaceAll('"""', '\\"\\"\\"')}"""

if __name__ == "__main__":
    file = Path(__file__).with_suffix(".html")
    figure().write_html(file)
    print(f"The figure is in {file}.")
`;
}

const quoted = (text) => JSON.stringify(text);

/** Seconds a step, which is the same for all points of a run. */
function pace(points) {
  const last = points.at(-1);
  return last.step ? last.x / last.step : 0;
}
