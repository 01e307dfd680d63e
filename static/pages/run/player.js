/**
 * The control for the moment that the γ and β panels show: a slider over the stored snapshots, and a button that plays
 * them.
 *
 * While the slider is at its end it follows the newest snapshot. Readers who prefer reduced motion see a few still
 * pictures, one second each.
 */

import { h, s, show } from "../../base/dom.js";
import { epochOf, whole } from "../../base/format.js";

const WHOLE_MS = 9000;
const SHORTEST_MS = 60;
const LONGEST_MS = 600;
const STILLS = 12;
const STILL_MS = 1000;
const ICONS = { play: "M5 3.5v9l7.5-4.5z", pause: "M4.5 3.5h2.5v9H4.5zM9 3.5h2.5v9H9z" };

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function player(data, view) {
  const path = s("path", { d: ICONS.play, fill: "currentColor" });
  const icon = s("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, path);
  const button = h("button", { type: "button", class: "icon-button play", "aria-label": "Play the training" }, icon);
  const slider = h("input", { type: "range", min: 0, max: 0, step: 1, value: 0, "aria-label": "Moment in training" });
  const words = h("span", { class: "moment" });
  const newest = h("button", { type: "button", class: "button small" }, "Follow the latest");
  const element = h("div", { class: "player", hidden: true }, button, slider, words, newest);
  let timer = null;

  const go = (index, quietly = false) => {
    const last = data.snapshots.length - 1;
    view.set({ step: index >= last ? null : data.snapshots[index].step }, quietly);
  };

  const pause = () => {
    clearTimeout(timer);
    timer = null;
    view.write();
    draw();
  };

  const play = () => {
    if (view.index(data.snapshots) >= data.snapshots.length - 1) go(0, true);
    timer = setTimeout(turn, frameMs());
    draw();
  };

  const frameMs = () =>
    calm.matches ? STILL_MS : Math.min(LONGEST_MS, Math.max(SHORTEST_MS, WHOLE_MS / data.snapshots.length));

  const turn = () => {
    const last = data.snapshots.length - 1;
    const leap = calm.matches ? Math.max(1, Math.round(last / STILLS)) : 1;
    const next = Math.min(last, view.index(data.snapshots) + leap);
    go(next, true);
    if (next >= last) return pause();
    timer = setTimeout(turn, frameMs());
  };

  const draw = () => {
    const { snapshots, run } = data;
    show(element, snapshots.length > 1);
    if (!snapshots.length) return;
    const index = view.index(snapshots);
    slider.max = snapshots.length - 1;
    slider.value = index;
    slider.style.setProperty("--share", index / Math.max(1, snapshots.length - 1));
    const { epoch, step } = snapshots[index];
    const following = view.step === null;
    const text = `Epoch ${epochOf(epoch)} of ${run.spec.epochs}`;
    const live = following && run.state === "running";
    if (words.textContent !== text) words.textContent = text;
    words.dataset.live = live;
    slider.setAttribute("aria-valuetext", `${text}, step ${whole(step)}${live ? ", the latest" : ""}`);
    show(newest, !following && timer === null);
    path.setAttribute("d", timer === null ? ICONS.play : ICONS.pause);
    button.setAttribute("aria-label", timer === null ? "Play the training" : "Pause");
  };

  button.addEventListener("click", () => (timer === null ? play() : pause()));
  slider.addEventListener("input", () => {
    if (timer !== null) pause();
    go(Number(slider.value), true);
  });
  slider.addEventListener("change", () => view.write());
  newest.addEventListener("click", () => {
    view.set({ step: null });
    slider.focus();
  });
  data.addEventListener("change", () => {
    newest.textContent = data.run.state === "running" ? "Follow the latest" : "Back to the end";
    draw();
  });
  view.addEventListener("change", draw);
  return element;
}
