/**
 * Converts the form's fields into a policy's name, and a name into fields, by the server's rules.
 */

import { options } from "../../server/catalog.js";

const OTHER = "other";
const NOTHING = "none";
const { choices, groups } = options;

/**
 * By the kind of a rule's field: `say(field, values)` returns the field's text in a policy's name, null if nothing is
 * ticked; `read(field, said)` returns the form's values for such a text, null if there are none.
 */
const FIELDS = {
  number: {
    say: ({ key, unsaid }, values) => {
      const number = values[key] === OTHER ? values[`other_${key}`] : values[key];
      return Number(number) === unsaid ? "" : `-${number}`;
    },
    read: ({ key, unsaid }, said = String(unsaid)) =>
      choices[key].includes(said) ? { [key]: said } : { [key]: OTHER, [`other_${key}`]: Number(said) },
  },
  choice: {
    say: ({ key, options }, values) => options.find(([, value]) => value === values[key])[2],
    read: ({ key, options }, said) => ({ [key]: options.find(([, , text]) => text === said)[1] }),
  },
  ticks: {
    say: ({ key, starts, separator }, values) => {
      const ticked = choices[key].filter((value) => values[key].includes(value));
      return ticked.length ? starts[ticked.length > 1 ? 1 : 0] + ticked.join(separator) : null;
    },
    read: ({ key, separator }, said) => {
      const ticked = said.split(separator);
      return new Set(ticked).size === ticked.length ? { [key]: ticked } : null;
    },
  },
};

const rulesOf = (group) => options.rules.filter((rule) => rule.group === group.name);

/** The policy's name for the form's values. */
export function policyName(values) {
  const group = groups.find(({ name }) => name === values.group);
  const rules = rulesOf(group);
  const rule = choices[group.key] ? rules.find(({ name }) => name === values[group.key]) : rules[0];
  return rule ? nameBy(rule, values) : values[group.key];
}

function nameBy({ stem, fields }, values) {
  const texts = fields.map((field) => FIELDS[field.kind].say(field, values));
  return texts.includes(null) ? NOTHING : stem + texts.join("");
}

/** The values of the form's fields for a policy's name; null if no group has it. */
export function policyFields(name) {
  for (const group of groups) {
    const rules = rulesOf(group);
    const members = choices[group.key];
    if (members?.includes(name) && !rules.some((rule) => rule.name === name))
      return { group: group.name, [group.key]: name };
    for (const rule of rules) {
      const found = fieldsBy(rule, name);
      if (found) return { group: group.name, ...(members && { [group.key]: rule.name }), ...found };
    }
  }
  return null;
}

function fieldsBy({ pattern, fields }, name) {
  const match = new RegExp(`^${pattern}$`).exec(name);
  const found = match && fields.map((field, index) => FIELDS[field.kind].read(field, match[index + 1]));
  return found && !found.includes(null) ? Object.assign({}, ...found) : null;
}
