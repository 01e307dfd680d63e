/**
 * The layers of a ResNet for small images, as core/catalog/residual.py plans them.
 */

import { LANES } from "./kernels.js";

const FAMILIES = [
  { pattern: /^resnet-(\d{1,4})$/, depth: (number) => number, width: () => 1 },
  { pattern: /^wrn-14-(\d{1,2})$/, depth: () => 14, width: (number) => number },
];
const DEEPEST = 1202;
const WIDEST = 32;

/**
 * `units` are the convolutions with their norm layers, in forward order; `blocks` say which belong together. A unit has
 * the place `at` of its channels among those of all units.
 */
export function planOf(architecture, [channels, height], classes) {
  const [depth, width] = numbersOf(architecture);
  const units = [];
  let at = 0;
  let now = { channels, size: height };
  const add = (stage, name, number, outputs, kernel, stride, input = now) => {
    const conv = { inputs: input.channels, outputs, kernel, stride, from: input.size };
    Object.assign(conv, { size: Math.ceil(input.size / stride), name: `${name}.conv${number}` });
    units.push({ conv, norm: `${name}.norm${number}`, at, stage, shortcut: kernel === 1 });
    at += outputs;
    return units.length - 1;
  };
  const next = (place) => ({ channels: units[place].conv.outputs, size: units[place].conv.size });
  now = next(add(0, "stem", "", 16 * width, 3, 1));
  const blocks = [];
  for (const stage of [1, 2, 3]) {
    const outputs = 16 * width * 2 ** (stage - 1);
    for (let index = 0; index < (depth - 2) / 6; index += 1) {
      const stride = stage > 1 && index === 0 ? 2 : 1;
      const name = `stage${stage}.${index}`;
      const before = now;
      const first = add(stage, name, "1", outputs, 3, stride);
      now = next(first);
      const last = add(stage, name, "2", outputs, 3, 1);
      const same = stride === 1 && before.channels === outputs;
      const shortcut = same ? null : add(stage, `${name}.shortcut`, "", outputs, 1, stride, before);
      blocks.push({ name, stage, units: [first, last], shortcut });
    }
  }
  const plan = { architecture, input: { channels, size: height }, units, blocks };
  return { ...plan, channels: at, features: now.channels, classes };
}

/** Every parameter in the order of core/catalog/plan.py: its name, shape, role and stage. */
export function parametersOf(plan) {
  const rows = [];
  for (const { conv, norm, stage, shortcut } of plan.units) {
    const shape = [conv.outputs, conv.inputs, conv.kernel, conv.kernel];
    rows.push({ name: `${conv.name}.weight`, shape, role: shortcut ? "shortcut" : "convolution", stage });
    rows.push({ name: `${norm}.weight`, shape: [conv.outputs], role: "gamma", stage });
    rows.push({ name: `${norm}.bias`, shape: [conv.outputs], role: "beta", stage });
  }
  rows.push({ name: "output.weight", shape: [plan.classes, plan.features], role: "output", stage: 4 });
  rows.push({ name: "output.bias", shape: [plan.classes], role: "output-bias", stage: 4 });
  return rows;
}

/** The convolution as the kernels compute it: an image's channels are filled up with zeros. */
export function filledUp(conv) {
  return { ...conv, inputs: Math.ceil(conv.inputs / LANES) * LANES };
}

function numbersOf(architecture) {
  for (const { pattern, depth, width } of FAMILIES) {
    const found = pattern.exec(architecture);
    if (!found) continue;
    const number = Number(found[1]);
    const [deep, wide] = [depth(number), width(number)];
    if (deep >= 8 && deep <= DEEPEST && deep % 6 === 2 && wide >= 1 && wide <= WIDEST) return [deep, wide];
  }
  throw new Error(
    `This page runs ResNets for small images (resnet-N, N = 8, 14, 20, ...) and Wide ResNets (wrn-14-N); ` +
      `${String(architecture).slice(0, 40)} is none of them.`,
  );
}
