/**
 * The script of a frozen page: fills the header, and mounts the parts of the page, as Gradio does in the live site.
 */

import { frozenDownloads } from "../server/frozen/downloads.js";
import { mount } from "./site.js";

mount(document.body);
frozenDownloads();
for (const element of document.querySelectorAll("[data-module]"))
  import(`../${element.dataset.module}`).then((module) => module.mount(element));
