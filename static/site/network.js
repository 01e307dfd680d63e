/**
 * The part of the share dialog that gives away the trained network itself: its link, its QR code, and what 8 bits cost.
 */

import { copyButton, h } from "../base/dom.js";
import { save } from "../base/files.js";
import { sentence, whole } from "../base/format.js";
import { openLink } from "../engine/link/opening.js";
import { ask } from "../server/api.js";
import { nameOf } from "../server/catalog.js";
import { field } from "../base/widgets.js";
import { costInWords } from "./cost.js";
import { job } from "./job.js";

const ROWS = 4;
const SVG = "image/svg+xml";

/** What the dialog says of the network of `run` after `edits`: elements. Throws Refusal. */
export async function networkContents(run, edits) {
  const path = `/api/runs/${encodeURIComponent(run.id)}/link`;
  const found = await ask(path, edits.length ? { edits } : undefined);
  if (found.obstacle) return refused(run, found.obstacle, edits);
  const { sizeBytes, told } = await openLink(found.link);
  const link = field("Link of the network", found.link, ROWS);
  return [
    h("p", { class: "quiet" }, `The link is the network${told.edited ? `, with ${whole(told.edited)} edited γ` : ""}: its spec, its seed and what trained, in 8 bits a number. No server keeps it. ${whole(sizeBytes)} bytes; opened in this browser to check it.`),
    link.element,
    copyButton("Copy link of the network", () => link.text.value, "button small"),
    cost(run, edits, found.cost),
    ...code(run, found),
  ];
}

const refused = (run, why, edits) => [
  h("p", {}, sentence(`No link can carry this network: ${why}`)),
  edits.length ? null : h("a", { class: "button small", href: `/api/runs/${run.id}/capsule`, download: true }, "Download the capsule"),
].filter(Boolean);

/** What the 8 bits cost, or a button that measures it. */
function cost(run, edits, measured) {
  const part = h("div", { class: "sheet-part" });
  const tell = (result) => part.replaceChildren(h("p", { "data-slot": "cost" }, costWords(result)));
  if (measured) tell(measured);
  else
    part.append(
      h("p", { "data-slot": "cost" }, "What the 8 bits cost in accuracy is not measured yet."),
      job(run, "Measure", () => ({ edits, link: true }), ({ result }) => tell(result)).element,
    );
  return part;
}

function costWords({ exact, link, images, test_images }) {
  const on = images === test_images ? `all ${whole(images)} test images` : `${whole(images)} of ${whole(test_images)} test images`;
  return costInWords(on, exact.top1, link.top1);
}

function code(run, { qr, qr_obstacle }) {
  if (!qr) return [h("p", { class: "quiet" }, sentence(`There is no QR code: ${qr_obstacle}`))];
  const picture = h("img", { class: "qr", src: `data:${SVG},${encodeURIComponent(qr.svg)}`, alt: "QR code of the link of the network" });
  return [
    picture,
    h("p", { class: "quiet" }, `QR code of ${qr.modules} × ${qr.modules} modules (version ${qr.version}): show or print it large.`),
    h("button", { type: "button", class: "button small", onclick: () => save(`${nameOf(run)}.svg`, qr.svg, SVG) }, "Download the QR code (SVG)"),
  ];
}
