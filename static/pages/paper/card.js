/**
 * The card of one question: the claim, the figure, the verdict of our runs, the cost, and its buttons.
 */

import { chartFold } from "../../charts/numbers.js";
import { studyChart } from "../../charts/study.js";
import { h, show } from "../../base/dom.js";
import { duration, whole } from "../../base/format.js";
import { progressBar } from "../../base/widgets.js";
import { members, numbers, settings } from "./members.js";
import { changeStudy, isActive, isMine, launchStudy } from "./studies.js";

const SCALES = { minutes: "Minutes", evening: "Evening", paper: "Paper" };

/**
 * `question` as the server lists it; `changed(card)` is called after each choice or action of the reader.
 * The card's `put(study)` shows a study, `choose(scale)` switches to a scale.
 */
export function card(question, changed) {
  const studies = new Map();
  let scale = "minutes";

  const plot = h("div", { class: "plot" });
  const chart = studyChart(plot, question.title, () => studies.get(scale)?.figure ?? question.scales[scale].figure);
  const data = chartFold(question.title, chart, () => `onlybn-${question.name}-${scale}`);
  const chip = h("span", { class: "badge verdict" });
  const sentence = h("p", { class: "verdict-words" });
  const key = h("p", { class: "quiet figure-key" });
  const cost = h("p", { class: "quiet cost" });
  const standing = h("p", { class: "standing" });
  const bar = progressBar();
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const folds = [numbers(), settings(), members()];
  const buttons = actions();

  const segments = Object.entries(SCALES).map(([name, title]) => {
    const button = h("button", { type: "button" }, title);
    button.addEventListener("click", () => {
      choose(name);
      changed(self);
    });
    button.update = () => button.setAttribute("aria-pressed", String(name === scale));
    return button;
  });

  const element = h(
    "article",
    { class: "card question", id: question.name, "aria-labelledby": `${question.name}-title`, tabindex: -1 },
    h("header", {}, h("h2", { id: `${question.name}-title` }, question.title), chip),
    h("p", { class: "asked" }, question.question),
    h("p", {}, h("strong", {}, "The paper: "), question.claim, " ", quiet(`(${question.source})`)),
    question.quotes.map(quoted),
    h("div", { class: "segments", role: "group", "aria-label": `Scale of the study of ${question.title}` }, segments),
    plot,
    key,
    data.element,
    sentence,
    h("div", { class: "under-way" }, bar, standing),
    cost,
    buttons.element,
    problem,
    ...folds,
  );

  function actions() {
    const made = {
      launch: button("Launch", () => launchStudy(question.name, scale)),
      cancel: button("Cancel", () => changeStudy(studies.get(scale).id, "cancel"), "button danger"),
      resume: button("Resume", () => changeStudy(studies.get(scale).id, "resume")),
      runs: h("a", { class: "button" }, "Compare its runs"),
      report: h("a", { class: "button", download: "" }, "Report"),
      csv: h("a", { class: "button", download: "" }, "CSV"),
    };
    return { ...made, element: h("div", { class: "actions" }, Object.values(made)) };
  }

  /** A button that changes the study on the server and shows the result. */
  function button(title, act, className = "button") {
    const made = h("button", { type: "button", class: className, "aria-describedby": `${question.name}-title` }, title);
    made.addEventListener("click", async () => {
      made.disabled = true;
      made.setAttribute("aria-busy", "true");
      show(problem, false);
      try {
        put(await act());
        changed(self);
      } catch (refusal) {
        problem.textContent = refusal.message;
        show(problem, true);
      }
      made.disabled = false;
      made.removeAttribute("aria-busy");
    });
    return made;
  }

  function put(study) {
    studies.set(study.scale, study);
    scale = study.scale;
    update();
  }

  function choose(name) {
    scale = name;
    show(problem, false);
    update();
  }

  function update() {
    const study = studies.get(scale) ?? null;
    const plan = question.scales[scale];
    segments.forEach((segment) => segment.update());
    chip.textContent = study ? study.verdict.words : "not run here yet";
    chip.dataset.outcome = study ? study.verdict.outcome : "";
    sentence.textContent = study ? study.verdict.sentence : invitation(plan);
    key.textContent = plan.figure ? legend(study?.figure ?? plan.figure) : "";
    cost.textContent = study?.unavailable ?? plan.unavailable ?? price(plan);
    for (const part of [plot, data.element]) show(part, Boolean(study?.figure ?? plan.figure));
    show(bar, isActive(study));
    if (study) bar.set(study.share, study.state);
    standing.textContent = study ? progress(study) : "";
    offer(study, plan);
    folds.forEach((fold) => fold.update(study));
    chart.refresh();
    chart.describe(`${question.title}. ${chip.textContent}. ${sentence.textContent}`);
  }

  function offer(study, plan) {
    const active = isActive(study);
    const stopped = study && !active && study.state !== "finished";
    show(buttons.launch, !plan.unavailable && !active && study?.state !== "finished" && !(stopped && isMine(study)));
    show(buttons.cancel, active && isMine(study));
    show(buttons.resume, Boolean(stopped) && isMine(study) && !study.unavailable);
    for (const name of ["runs", "csv"]) show(buttons[name], Boolean(study));
    show(buttons.report, Boolean(study) && !study.unavailable);
    if (!study) return;
    buttons.runs.href = `/compare?study=${study.id}`;
    buttons.report.href = study.report;
    buttons.csv.href = study.csv;
  }

  const self = {
    element,
    name: question.name,
    put,
    choose,
    get scale() {
      return scale;
    },
    get study() {
      return studies.get(scale) ?? null;
    },
    /** Takes a study from the server's list; shows it if its scale is the chosen one. */
    offer(study) {
      studies.set(study.scale, study);
      if (study.scale === scale) update();
    },
    /** The queued or running study at the chosen scale, or null. */
    get active() {
      return isActive(studies.get(scale)) ? studies.get(scale) : null;
    },
  };
  update();
  return self;
}

const invitation = ({ unavailable }) =>
  unavailable ? "" : "Nobody has run this here yet. Launch it; what has run already is not run again.";

const quiet = (text) => h("span", { class: "quiet" }, text);

const quoted = ({ text, source, words }) =>
  h("p", { class: "quiet quoted" }, `Also from the paper: ${text} (${words}: ${source})`);

/** The legend of the figure's symbols. */
function legend({ marks, marks_note }) {
  const own = "● ours: mean and 95 % interval over replicates.";
  if (!marks.length) return `${own} The paper's values for this are not known here, so none is drawn.`;
  const words = [...new Set(marks.map(({ words }) => words))];
  return `${own} Open symbols: ${words.join("; ")} (${marks_note}).`;
}

function price({ runs, seconds, basis, setting }) {
  return `${whole(runs)} runs, ${longTime(seconds)} ${basis}. ${setting}.`;
}

const YEAR_S = 31_557_600;

const longTime = (seconds) =>
  seconds > 2 * YEAR_S ? `about ${whole(seconds / YEAR_S)} years` : `about ${duration(seconds).replace(/ \d+ s$/, "")}`;

function progress({ state, counts, members }) {
  const parts = [`${counts.finished} of ${members.length} runs finished`];
  if (counts.running) parts.push(`${counts.running} running`);
  if (counts.failed) parts.push(`${counts.failed} failed`);
  if (counts.cancelled) parts.push(`${counts.cancelled} cancelled`);
  if (state === "queued") parts.push("waiting in the queue");
  return parts.join(" · ");
}
