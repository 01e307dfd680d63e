/**
 * The registries (architectures, policies, data sets) as the server put them into the page's head, and the names
 * that people read.
 */

export const options = JSON.parse(document.getElementById("onlybn-options").textContent);

/** {family, number} of an architecture's name, or null where no family has it. */
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

/** The letters of a norm layer's two parameters, by their names in the feed. */
export const LETTERS = { gamma: "γ", beta: "β" };

/** What people read for a field's value: "cosine" of "schedule". */
export const titleOfValue = (key, value) => options.titles[key]?.[value] ?? value;

/** {name, title, sentence, source, norm, group, hue} of a policy, those that are named by a rule included. */
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

/** How many classes a spec's images have, which of a folder of images only the spec knows. */
export const classesOf = ({ dataset, contents }) => contents?.classes ?? datasetOf(dataset).classes ?? 0;

/** Top-5 says something only where there are more classes than those of the digits. */
export const hasTop5 = (spec) => classesOf(spec) > 10;

/** What a run is called where it has no name of its own. */
export const titleOf = ({ architecture, policy, dataset }) =>
  [architectureTitle(architecture), policyOf(policy).title, datasetOf(dataset).title].join(" · ");

export const nameOf = (run) => run.name || titleOf(run.spec);

/** Whether a run's id can look like this; the server refuses a question with any other. */
export const isRunId = (text) => /^[A-Za-z0-9_-]{6,40}$/.test(text);

export const STATES = ["queued", "running", "finished", "failed", "cancelled"];
const TERMINAL = new Set(["finished", "failed", "cancelled"]);

export const isOver = (run) => TERMINAL.has(run.state);
