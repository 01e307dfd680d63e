/**
 * What each task's network makes of a picture: evaluations on the workers, each asked for once, one after another.
 */

import { evaluate } from "../../server/evaluation.js";

export class Looks {
  #known = new Map();
  #last = Promise.resolve();

  /** `tell(evaluation)` gets the progress of the one that is under way. */
  constructor(tasks, tell) {
    this.tasks = tasks;
    this.tell = tell;
  }

  /** The picture of the view as every task sees it, its label and its shape; the first task's network gives them. */
  async picture({ from, image, layer }) {
    const views = [...new Set(["whole", ...this.tasks.map(({ task }) => task)])];
    const found = await this.#ask(from, { index: image, task: "whole", views, layer: layer ?? "", first: 0 });
    return { views: found.views, label: found.label, shape: found.image.shape };
  }

  /** The result of a look at `pixels`, seen as task number `seen`, with the γ and β of task number `gamma`. */
  look(pixels, { seen, layer, first }, gamma) {
    return this.#ask(gamma, { pixels, task: this.tasks[seen].task, layer, first });
  }

  /** Whether the look is there already. */
  has(pixels, { seen, layer, first }, gamma) {
    return this.#known.has(key(gamma, { pixels, task: this.tasks[seen].task, layer, first }));
  }

  #ask(number, look) {
    const name = key(number, look);
    if (!this.#known.has(name)) {
      const run = () => evaluate(this.tasks[number].run, { look }, this.tell).then(({ result }) => result);
      const asked = this.#last.then(run);
      this.#last = asked.catch(() => {});
      this.#known.set(name, asked);
      asked.catch(() => this.#known.delete(name)); // so that it can be tried again
    }
    return this.#known.get(name);
  }
}

const key = (number, look) => JSON.stringify([number, look]);
