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

/** resnet-14 -> ResNet-14; wrn-14-4 -> WRN-14-4 */
export const architectureTitle = (name) => name.toUpperCase().replace("RESNET", "ResNet");

/** {name, title, sentence, per_channel} of a policy, random-k for any k included. */
export function policyOf(name) {
  const known = options.policies.find((policy) => policy.name === name);
  if (known) return known;
  const k = /^random-(\d+)$/.exec(name)?.[1];
  if (!k) return { name, title: name, sentence: "", per_channel: 0 };
  const { title, sentence } = options.random_policy;
  return { name, title: title.replaceAll("{k}", k), sentence: sentence.replaceAll("{k}", k), per_channel: Number(k) };
}

export const datasetOf = (name) =>
  options.datasets.find((dataset) => dataset.name === name) ?? { name, title: name, sentence: "" };

/** What a run is called where it has no name of its own. */
export const titleOf = ({ architecture, policy, dataset }) =>
  [architectureTitle(architecture), policyOf(policy).title, datasetOf(dataset).title].join(" · ");

export const nameOf = (run) => run.name || titleOf(run.spec);

/** Whether a run's id can look like this; the server refuses a question with any other. */
export const isRunId = (text) => /^[A-Za-z0-9_-]{6,40}$/.test(text);

export const STATES = ["queued", "running", "finished", "failed", "cancelled"];
const TERMINAL = new Set(["finished", "failed", "cancelled"]);

export const isOver = (run) => TERMINAL.has(run.state);
