/**
 * What the network is: its size, what was redrawn, and how accurate it was and is.
 */

import { h } from "../base/dom.js";
import { bytes, percent, whole } from "../base/format.js";

export function heading(playing) {
  const { network, counts, milliseconds, images } = playing;
  const here = h("dd", {}, images ? "measuring ..." : "–");
  if (images)
    playing.accuracy(() => playing.epsilon === 0).then((share) => {
      if (share === null) return here.replaceChildren("–");
      here.replaceChildren(percent(share), h("span", { class: "quiet" }, ` of ${whole(images.labels.length)} test images`));
    });
  const trainedTop1 = network.result?.top1 ?? network.told?.top1;
  const rows = [
    ["Parameters", [whole(counts.all), h("span", { class: "quiet" }, `, ${whole(counts.trained)} trained`)]],
    ["Size", [bytes(network.size), h("span", { class: "quiet" }, network.origin === "link" ? " in the link" : " in the file")]],
    ["Redrawn from its seed", [`${Math.max(1, Math.round(milliseconds))} ms`]],
    ["Accuracy when trained", [trainedTop1 === undefined ? "–" : percent(trainedTop1)]],
  ].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
  rows.push(h("div", {}, h("dt", {}, "Accuracy here"), here));
  return h("dl", { class: "facts player-facts" }, rows);
}
