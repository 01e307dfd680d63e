/**
 * What a question shows when it is open: the study at the chosen scale with its figure, verdict, cost and buttons.
 */

import { chartFold } from "../../charts/numbers.js";
import { studyChart } from "../../charts/study.js";
import { h, show } from "../../base/dom.js";
import { duration, whole } from "../../base/format.js";
import { at, frozen } from "../../base/place.js";
import { progressBar } from "../../base/widgets.js";
import { allowance, guard } from "../../server/allowance.js";
import { members, numbers, settings } from "../../site/study.js";
import { changeStudy, isActive, isMine, launchStudy } from "../../server/studies.js";
import { asAddress } from "../../server/webhooks.js";
import { studyWebhook } from "../../site/webhook.js";

const SCALES = { minutes: "Minutes", evening: "Evening", paper: "Paper" };

/**
 * `card`: the question, the chosen scale and its study (card.js); `choose(scale)` and `took(study)` are called when the
 * reader chooses a scale, and when a study was launched, cancelled or resumed.
 */
export function detail(card, { choose, took }) {
  const { question } = card;
  const whole = () => card.study?.figure ?? question.scales[card.scale].figure;
  // What we measured shares an axis with the paper's values only where the setting is the paper's own.
  const apart = () => card.scale !== "paper" && Boolean(whole()?.series.length && whole().marks.length);
  const plot = h("div", { class: "plot" });
  const chart = studyChart(plot, question.title, () => (apart() ? { ...whole(), marks: [] } : whole()), whole);
  const papers = h("div", { class: "plot" });
  const beside = studyChart(papers, `${question.title}: the paper’s values`, () => (apart() ? { ...whole(), series: [] } : null));
  const data = chartFold(question.title, chart, () => `onlybn-${question.name}-${card.scale}`);
  const sentence = h("p", { class: "verdict-words" });
  const key = h("p", { class: "quiet figure-key" });
  const cost = h("p", { class: "quiet cost" });
  const origin = h("p", { class: "quiet origin" });
  const standing = h("p", { class: "standing" });
  const bar = progressBar();
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const address = h("input", {
    type: "url",
    id: `${question.name}-webhook`,
    maxlength: 500,
    autocomplete: "off",
    spellcheck: "false",
  });
  const notify = h(
    "details",
    {},
    h("summary", {}, "Notify an address at the end"),
    h(
      "div",
      { class: "webhook-field" },
      h("label", { for: address.id }, "Webhook (optional)"),
      h("p", { class: "quiet" }, "The server notifies this address when the study has ended. Only you can see it."),
      address,
    ),
  );
  const webhook = studyWebhook(() => card.study);
  const folds = [numbers(), settings(), members()];
  const buttons = actions();

  const segments = Object.entries(SCALES).map(([name, title]) => {
    const button = h("button", { type: "button" }, title);
    button.addEventListener("click", () => {
      show(problem, false);
      choose(name);
    });
    button.update = () => button.setAttribute("aria-pressed", String(name === card.scale));
    return button;
  });

  function actions() {
    const made = {
      launch: button("Launch", () => launchStudy(question.name, card.scale, asAddress(address.value))),
      cancel: button("Cancel", () => changeStudy(card.study.id, "cancel"), "button danger"),
      resume: button("Resume", () => changeStudy(card.study.id, "resume")),
      runs: h("a", { class: "button" }, "Compare its runs"),
      report: h("a", { class: "button", download: "" }, "Report"),
      csv: h("a", { class: "button", download: "" }, "CSV"),
    };
    for (const one of [made.launch, made.resume]) guard(one, 1, fail);
    return { ...made, element: h("div", { class: "actions" }, Object.values(made)) };
  }

  function fail(words) {
    problem.textContent = words;
    show(problem, true);
  }

  /** A button that changes the study on the server and shows the result. */
  function button(title, act, className = "button") {
    const made = h("button", { type: "button", class: className, "aria-describedby": `${question.name}-title` }, title);
    made.addEventListener("click", async () => {
      made.disabled = true;
      made.setAttribute("aria-busy", "true");
      show(problem, false);
      try {
        took(await act());
      } catch (refusal) {
        fail(refusal.message);
      }
      made.disabled = false;
      made.removeAttribute("aria-busy");
    });
    return made;
  }

  function offerNotice() {
    show(notify, !buttons.launch.hidden && Boolean(allowance.value) && allowance.value.webhooks !== "off");
  }
  allowance.addEventListener("change", offerNotice);

  function offer(study, plan) {
    const active = isActive(study);
    const own = study && !study.shipped;
    const stopped = own && !active && study.state !== "finished";
    const done = own && study.state === "finished";
    show(buttons.launch, !frozen && !plan.unavailable && !active && !done && !(stopped && isMine(study)));
    offerNotice();
    buttons.launch.textContent = study?.shipped ? "Repeat it here" : "Launch";
    show(buttons.cancel, active && isMine(study));
    show(buttons.resume, Boolean(stopped) && isMine(study) && !study.unavailable);
    show(buttons.runs, Boolean(own));
    show(buttons.csv, Boolean(study));
    show(buttons.report, Boolean(study) && !study.unavailable);
    if (!study) return;
    buttons.runs.href = at(`/compare?study=${study.id}`);
    buttons.report.href = at(study.report);
    buttons.csv.href = at(study.csv);
  }

  const element = h(
    "div",
    { class: "question-body" },
    h("p", { class: "asked" }, question.question),
    h("p", {}, h("strong", {}, question.own ? "We expect: " : "The paper: "), question.claim, " ", quiet(`(${question.source})`)),
    question.here ? h("p", {}, h("strong", {}, "Tested here: "), `${question.here}.`) : null,
    question.quotes.map(quoted),
    h("div", { class: "segments", role: "group", "aria-label": `Scale of the study of ${question.title}` }, segments),
    h("div", { class: "plots" }, plot, papers),
    key,
    data.element,
    sentence,
    h("div", { class: "under-way" }, bar, standing),
    cost,
    origin,
    webhook,
    notify,
    buttons.element,
    problem,
    ...folds,
  );

  element.update = () => {
    const { study } = card;
    const plan = question.scales[card.scale];
    segments.forEach((segment) => segment.update());
    sentence.textContent = study ? [study.verdict.sentence, study.further].join(" ").trim() : invitation(plan);
    key.textContent = plan.figure ? legend(study?.figure ?? plan.figure) : "";
    cost.textContent = study?.unavailable ?? plan.unavailable ?? price(plan);
    origin.replaceChildren(...told(study));
    for (const part of [plot, data.element]) show(part, Boolean(whole()));
    show(papers, apart());
    show(bar, isActive(study));
    if (study) bar.set(study.share, study.state);
    standing.textContent = study ? progress(study) : "";
    offer(study, plan);
    webhook.update();
    folds.forEach((fold) => fold.update(study));
    chart.refresh();
    beside.refresh();
    chart.describe(`${question.title}. ${study?.verdict.words ?? "not run here yet"}. ${sentence.textContent}`);
  };
  return element;
}

const invitation = ({ unavailable }) =>
  unavailable || frozen ? "" : "Nobody has run this here yet. If you launch it, finished runs are reused.";

const quiet = (text) => h("span", { class: "quiet" }, text);

const quoted = ({ text, source, words }) =>
  h("p", { class: "quiet quoted" }, `Also from the paper: ${text} (${words}: ${source})`);

/** Where shipped results come from. */
function told(study) {
  if (!study?.shipped) return [];
  const { machines, hours, command } = study.shipped;
  const time = hours < 1 ? `${Math.max(1, Math.round(60 * hours))} minutes` : `${hours.toFixed(1)} hours`;
  return [`Shipped with OnlyBN: ${time} of training on ${machines.join(", ")}. To repeat it: `, h("code", {}, command)];
}

/** The legend of the figure's symbols. */
function legend({ marks, marks_note }) {
  const own = "● ours: mean and 95% interval over replicates.";
  if (!marks.length) return `${own} We do not know the paper's values for this, so none are drawn.`;
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
  if (state === "queued") parts.push("in the queue");
  return parts.join(" · ");
}
