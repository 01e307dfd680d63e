/**
 * The part of the share dialog that gives away a trained network where no server is asked: its link, made in this
 * browser from the capsule, and what 8 bits cost, measured here.
 */

import { copyButton, h } from "../base/dom.js";
import { sentence, whole } from "../base/format.js";
import { at } from "../base/place.js";
import { field } from "../base/widgets.js";
import { accuracyOf } from "../engine/accuracy.js";
import { readCapsule, rebuilt } from "../engine/capsule.js";
import { DATASETS } from "../engine/datasets.js";
import { loadImages, SHIPPED } from "../engine/images.js";
import { openKernels } from "../engine/kernels.js";
import { openLink } from "../engine/link/opening.js";
import { textOf } from "../engine/link/text.js";
import { linkOfCapsule } from "../engine/link/writing.js";
import { costInWords } from "./cost.js";

const ROWS = 4;

/** What the dialog says of the network in the capsule of these `bytes`: elements. Throws an Error. */
export async function networkHere(bytes) {
  const kernels = await openKernels();
  const capsule = readCapsule(bytes);
  const text = textOf(linkOfCapsule(kernels, capsule));
  const link = field("Link of the network", `${new URL(at("/player/"), document.baseURI)}#${text}`, ROWS);
  const opened = await openLink(text);
  return [
    h("p", { class: "quiet" }, `The link is the network: its spec, its seed and what trained, in 8 bits a number. No server keeps it. ${whole(opened.sizeBytes)} bytes; made in this browser.`),
    link.element,
    copyButton("Copy link of the network", () => link.text.value, "button small"),
    cost(kernels, capsule, opened),
  ];
}

/** What the 8 bits cost, measured at once where the test images are at hand. */
function cost(kernels, capsule, opened) {
  const { dataset } = capsule.spec;
  if (!Object.hasOwn(SHIPPED, dataset)) return h("p", { "data-slot": "cost" }, "What the 8 bits cost in accuracy cannot be measured here: this data set does not come with the page.");
  const words = h("p", { "data-slot": "cost", role: "status" }, "Measuring what the 8 bits cost…");
  measured(kernels, capsule, opened).then(
    (said) => (words.textContent = said),
    (error) => (words.textContent = sentence(error.message)),
  );
  return words;
}

async function measured(kernels, capsule, opened) {
  const { dataset } = capsule.spec;
  const images = await loadImages(dataset, "test");
  const found = [];
  for (const network of [capsule, opened]) {
    const built = rebuilt(kernels, network);
    found.push(await accuracyOf(built, DATASETS[dataset], images));
    built.close();
  }
  const [exact, there] = found;
  return costInWords(`the ${whole(images.labels.length)} test images that come with the page`, exact, there);
}
