/**
 * The registries (architectures, policies, data sets), which the server writes into the page's head, and their titles.
 */

import { lowered } from "../base/format.js";

export const options = JSON.parse(document.getElementById("onlybn-options").textContent);

/** {family, number} of an architecture's name, or null if no family has it. */
export function parseArchitecture(name) {
  for (const family of options.families) {
    const match = new RegExp(`^${family.pattern}$`).exec(name);
    if (match) return { family, number: Number(match[1]) };
  }
  return null;
}

/** The architecture's name: {name: "resnet"}, 14 -> resnet-14. */
export const architectureName = (family, number) => family.pattern.replace("(\\d+)", number);

/** resnet-14 -> ResNet-14; wrn-14-4 -> WRN-14-4; imagenet-resnet-50 -> ImageNet ResNet-50 */
export const architectureTitle = (name) =>
  name.toUpperCase().replace("RESNET", "ResNet").replace("IMAGENET-", "ImageNet ");

/** The letters of a norm layer's two parameters by their names in the feed. */
export const LETTERS = { gamma: "γ", beta: "β" };

/** The title of a field's value, such as "cosine" of "schedule". */
export const titleOfValue = (key, value) => options.titles[key]?.[value] ?? value;

/** {name, title, sentence, source, norm, group, hue} of a policy, also of one that a rule names. */
export function policyOf(name) {
  const known = options.policies.find((policy) => policy.name === name);
  if (known) return known;
  for (const { pattern, title, sentence, ...rest } of options.grammar) {
    const said = new RegExp(`^${pattern}$`).exec(name)?.[1];
    if (!said) continue;
    const k = said.split("-").map((part) => (part === "0" ? "the stem" : part));
    return { name, ...rest, title: title.replaceAll("{k}", k.join(", ")), sentence: sentence.replaceAll("{k}", k.join(", ")) };
  }
  return { name, title: name, sentence: "", source: "", norm: null };
}

export const datasetOf = (name) =>
  options.datasets.find((dataset) => dataset.name === name) ?? { name, title: name, sentence: "" };

/** The title of a task, a variant of a data set. */
export const taskTitle = (name) =>
  options.titles.task[name] ?? `Pixels permuted, order ${name.replace("permuted-", "")}`;

/** The title of a spec's data set, which names a copy and a task: "CIFAR-10, JPEG copy", "Digits, rotated by 90°". */
export function datasetTitle({ dataset, copy_of_data: copy, task }) {
  const title = copy ? `${datasetOf(dataset).title}, ${copy.kind} copy` : datasetOf(dataset).title;
  return task ? `${title}, ${lowered(taskTitle(task))}` : title;
}

/** The number of classes of a spec's images. For a folder of images only the spec knows it. */
export const classesOf = ({ dataset, contents }) => contents?.classes ?? datasetOf(dataset).classes ?? 0;

/** Whether to show top-5, which says little for ten classes. */
export const hasTop5 = (spec) => classesOf(spec) > 10;

/** The title of a run without a name. */
export const titleOf = (spec) =>
  [architectureTitle(spec.architecture), policyOf(spec.policy).title, datasetTitle(spec)].join(" · ");

export const nameOf = (run) => run.name || titleOf(run.spec);

/** Whether `text` has the form of a run's id; the server refuses requests with any other. */
export const isRunId = (text) => /^[A-Za-z0-9_-]{6,40}$/.test(text);

export const STATES = ["queued", "running", "finished", "failed", "cancelled"];
const TERMINAL = new Set(["finished", "failed", "cancelled"]);

export const isOver = (run) => TERMINAL.has(run.state);
