/**
 * What trains: the form's fields as a policy's name, and a name as fields. One entry a group of fields.
 */

import { options } from "../../server/catalog.js";

const OTHER = "other";
const STAGES = "stages";
const NOTHING = "none";
const HALF = 50; // what plain "supermask" keeps
const { choices } = options;

/** `name(values)`: the policy that a group's fields say. `fields(name)`: their values for a policy, null for others'. */
const GROUPS = {
  norm: {
    name: ({ norm_part, stages }) => (norm_part === STAGES ? ofStages(stages) : norm_part),
    fields: (name) => {
      if (name !== STAGES && choices.norm_part.includes(name)) return { norm_part: name };
      const stages = /^batchnorm-stages?-(\d(?:-\d)*)$/.exec(name)?.[1];
      return stages ? { norm_part: STAGES, stages: [...new Set(stages.split("-"))].sort() } : null;
    },
  },
  layers: {
    name: ({ layers }) => choices.layers.filter((layer) => layers.includes(layer)).join("+") || NOTHING,
    fields: (name) => {
      const layers = name.split("+");
      const all = layers.every((layer) => choices.layers.includes(layer));
      return all && new Set(layers).size === layers.length ? { layers } : null;
    },
  },
  random: {
    name: (values) => `random-${numberOf("per_channel", values)}${values.spread === "layer" ? "-layer" : ""}`,
    fields: (name) => {
      const [, k, layer] = /^random-([1-9]\d{0,2})(-layer)?$/.exec(name) ?? [];
      return k ? { ...numberFields("per_channel", k), spread: layer ? "layer" : "channel" } : null;
    },
  },
  mask: {
    name: (values) => {
      const kept = numberOf("kept", values);
      return Number(kept) === HALF ? "supermask" : `supermask-${kept}`;
    },
    fields: (name) => {
      const kept = name === "supermask" ? String(HALF) : /^supermask-([1-9]\d?)$/.exec(name)?.[1];
      return kept ? numberFields("kept", kept) : null;
    },
  },
  reference: {
    name: ({ reference }) => reference,
    fields: (name) => (choices.reference.includes(name) ? { reference: name } : null),
  },
};

/** The policy's name that the form's values mean. */
export const policyName = (values) => GROUPS[values.group].name(values);

/** The values of the form's fields for a policy's name; null where no group can say it. */
export function policyFields(name) {
  for (const [group, { fields }] of Object.entries(GROUPS)) {
    const found = fields(name);
    if (found) return { group, ...found };
  }
  return null;
}

function ofStages(stages) {
  const numbers = [...stages].sort((a, b) => a - b);
  return numbers.length ? `batchnorm-stage${numbers.length > 1 ? "s" : ""}-${numbers.join("-")}` : NOTHING;
}

const numberOf = (key, values) => (values[key] === OTHER ? values[`other_${key}`] : values[key]);

const numberFields = (key, value) =>
  choices[key].includes(value) ? { [key]: value } : { [key]: OTHER, [`other_${key}`]: Number(value) };
