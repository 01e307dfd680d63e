/**
 * The menu on a card that saves its chart as a picture. The picture is drawn again on the page's background, sharp at
 * any size and without the reader's zoom.
 */

import { exportMenu, savePicture } from "../../base/files.js";
import { token } from "../../base/theme.js";

const SIZE = { width: 900, height: 540, margin: { l: 16, r: 28, t: 76, b: 16 } };

/** `chart()`: the chart of the card `title`, undefined while it loads; `view()`: the title of its present view. */
export function pictureMenu(title, chart, view = () => "") {
  const save = async (format) => {
    if (!chart()) throw new Error("the chart is still being loaded");
    const whole = [title, view()].filter(Boolean).join(": ");
    await savePicture(chart(), format, fileName(whole), { ...SIZE, title: heading(whole) });
  };
  return exportMenu(
    "Picture",
    { "Picture (PNG)": () => save("png"), "Picture (SVG)": () => save("svg") },
    `Picture of the chart ${title}`,
  );
}

const heading = (text) => ({ text, x: 0.02, y: 0.96, yanchor: "top", font: { size: 16, color: token("ink") } });

/** The file name, without extension, for the chart `title`. */
export function fileName(title) {
  const id = new URLSearchParams(location.search).get("id");
  const words = title.toLowerCase().match(/[a-z0-9γβ]+/g);
  return ["onlybn", id, ...words].filter(Boolean).join("-");
}
