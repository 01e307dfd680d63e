/**
 * γ and β at one moment: histograms, quantiles and disabled features of each layer (core/training/snapshot.py).
 */

const BINS = 65;
const BIN_WIDTH = 0.06;
const EDGES = Array.from({ length: BINS + 1 }, (_, i) => Math.fround(Number(((i - BINS / 2) * BIN_WIDTH).toFixed(4))));
const QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
const DISABLED_BELOW = 0.01;

/** The event `snapshot` of a network. */
export function snapshotOf(network, step, epoch) {
  const layers = network.plan.units.map((unit) => ({ gamma: network.part("gamma", unit), beta: network.part("beta", unit) }));
  const of = (name) => ({
    counts: layers.map((layer) => histogram(layer[name])),
    quantiles: layers.map((layer) => quantiles(layer[name])),
  });
  const disabled = layers.map(({ gamma }) => gamma.reduce((sum, value) => sum + (Math.abs(value) < DISABLED_BELOW ? 1 : 0), 0));
  return { event: "snapshot", step, epoch, gamma: of("gamma"), beta: of("beta"), disabled };
}

/** The first entry counts what lies below the first edge, the last what lies above the last one. */
function histogram(values) {
  const counts = new Array(BINS + 2).fill(0);
  for (const value of values) {
    let bin = 0;
    while (bin < EDGES.length && EDGES[bin] <= value) bin += 1;
    counts[bin] += 1;
  }
  return counts;
}

function quantiles(values) {
  const sorted = values.slice().sort();
  return QUANTILES.map((share) => {
    const at = share * (sorted.length - 1);
    const below = Math.floor(at);
    const above = Math.min(below + 1, sorted.length - 1);
    return Number((sorted[below] + (at - below) * (sorted[above] - sorted[below])).toFixed(5));
  });
}
