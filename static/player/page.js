/**
 * The player: opens a network from a link, an address or a file, and shows it at work.
 */

import { h, show, slot } from "../base/dom.js";
import { toggle } from "../base/theme.js";
import { DATASETS } from "../engine/datasets.js";
import { openKernels } from "../engine/kernels.js";
import { heading } from "./heading.js";
import { maps } from "./maps.js";
import { fromAddress, fromFile, fromLink, fromTab } from "./sources.js";
import { Playing } from "./playing.js";
import { cutting } from "./cutting.js";
import { trying } from "./trying.js";
import { welcome } from "./welcome.js";

const [title, lead, problem, busy, place] = ["title", "lead", "problem", "busy", "network"].map((name) => slot(document, name));
const kernels = openKernels();
kernels.catch(() => {}); // said when a network is opened

const theme = h("button", { type: "button", class: "button small", onclick: toggle }, "Light or dark");
document.querySelector(".site-side").append(theme);

let opening = 0;
let playing = null;

/** Opens what `load()` gives; a later call wins over one that is still under way. */
async function open(words, load) {
  const own = (opening += 1);
  show(problem, false);
  busy.textContent = words;
  show(busy, true);
  try {
    const network = await load();
    const next = await Playing.of(await kernels, network);
    if (own !== opening) return next.close();
    playing?.close();
    playing = next;
    present(next);
  } catch (error) {
    if (own !== opening) return;
    problem.textContent = error.message;
    show(problem, true);
    if (!playing) place.replaceChildren(welcome(openFile, false));
  } finally {
    if (own === opening) show(busy, false);
  }
}

function present(now) {
  const { spec } = now.network;
  document.title = `${now.title} · OnlyBN`;
  title.textContent = now.title;
  lead.textContent = `${now.policy}. ${DATASETS[spec.dataset].title}.`;
  const shown = [heading(now), trying(now), cutting(now), maps(now), welcome(openFile, true)];
  place.replaceChildren(...shown.filter(Boolean));
  now.announce();
}

const openFile = (file) => open("Opening the file ...", () => fromFile(file));

/** Opens what the address names: a network behind `#`, or a capsule at `?url=`. */
function follow() {
  const query = new URLSearchParams(location.search);
  const [url, tab] = [query.get("url"), query.get("tab")];
  if (location.hash.length > 1 && location.hash !== "#content")
    return open("Opening the network in this link ...", () => fromLink(location.hash.slice(1)));
  if (url) return open("Fetching the capsule ...", () => fromAddress(url));
  if (tab) return open("Opening the training of this browser ...", () => fromTab(tab));
  place.replaceChildren(welcome(openFile, false));
}

addEventListener("hashchange", () => location.hash !== "#content" && follow());
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  if (file) openFile(file);
});
follow();
