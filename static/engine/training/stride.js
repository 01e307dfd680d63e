/**
 * Steps between two train points, as core/run/cost.py has it: the same on every machine.
 */

const MACS_PER_S = 40e9;
const OVERHEAD_S = 0.2e-3;
const EVERY_S = 0.1;
const MOST = 25;

export function pointStride(plan, trains, batch) {
  const macs = (stepMacs(plan, trains) * batch) / MACS_PER_S + OVERHEAD_S * plan.units.length;
  return Math.max(1, Math.min(MOST, Math.floor(EVERY_S / macs)));
}

/** Multiply-adds of a step for one image: there, back through what lies above the lowest that trains, and weights. */
function stepMacs(plan, trains) {
  const head = plan.features * plan.classes;
  const macsOf = ({ conv }) => conv.outputs * conv.inputs * conv.kernel ** 2 * conv.size ** 2;
  let total = plan.units.reduce((sum, unit) => sum + macsOf(unit), head);
  let below = false;
  for (const unit of plan.units) {
    const weight = trains.has(`${unit.conv.name}.weight`);
    total += macsOf(unit) * (Number(weight) + Number(below));
    below ||= weight || trains.has(`${unit.norm}.weight`) || trains.has(`${unit.norm}.bias`);
  }
  return total + head * (Number(trains.has("output.weight")) + Number(below));
}
