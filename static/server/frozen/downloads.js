/**
 * Downloads of a frozen site: a click on a packed file saves it unpacked, under the name that it has in the live site.
 */

import { save } from "../../base/files.js";
import { toast } from "../../base/toast.js";
import { fileBytes } from "./files.js";
import { SITE, here } from "./site.js";

const PACKED = /(?:^|\/)(data\/.+)\.gz$/;
const KINDS = { report: "html", results: "csv" }; // of files whose links leave the name to the server

export function frozenDownloads() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const file = PACKED.exec(link?.getAttribute("href") ?? "")?.[1];
    if (!file || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const [id, what] = file.split("/").slice(-2);
    take(file, link.download || `onlybn-${id}${KINDS[what] ? `.${KINDS[what]}` : `-${what}`}`);
  });
}

async function take(file, name) {
  try {
    const content = await fileBytes(`/api/${file.slice("data/".length)}`);
    const text = name.endsWith(".safetensors") ? null : new TextDecoder().decode(content);
    save(name, text === null ? content : text.replaceAll(SITE, here), "application/octet-stream");
  } catch ({ message }) {
    toast(message, { wrong: true });
  }
}
