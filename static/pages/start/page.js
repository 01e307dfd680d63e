/**
 * The first page, which stands in the document complete: here its buttons begin to work, and what this server adds
 * (times, examples, latest runs) is filled in.
 */

import { slot } from "../../base/dom.js";
import { frozen } from "../../base/place.js";
import { options } from "../../server/catalog.js";
import { gallery } from "../../site/gallery.js";
import { launches } from "../../site/launch.js";
import { shareButton } from "../../site/share.js";
import { mount as header } from "../../site/site.js";
import { questions } from "./experiments.js";
import { latest } from "./latest.js";

if (!frozen) {
  const pair = slot(document, "examples");
  launches(pair, slot(document, "examples-problem"), { name: options.twin, runs: options.examples });
  pair.disabled = false; // a click before now would have been lost
  questions(document.getElementById("experiments"));
}
slot(document, "share")?.append(shareButton("Share", "button small"));
header(document.body);
document.querySelector(".gallery-place").replaceWith(gallery());
latest(document.querySelector(".latest"));
