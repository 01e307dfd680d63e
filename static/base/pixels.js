/**
 * An image in the form of the data set's images: cropped, resized, and as raw bytes, channel after channel.
 */

/** A canvas of `width` × `height` with the middle of `source` (anything drawable); `invert`: as a negative. */
export function fitted(source, sourceWidth, sourceHeight, width, height, invert = false) {
  // Crop to the aspect ratio of the data set's images.
  const scale = Math.min(sourceWidth / width, sourceHeight / height);
  const [w, v] = [width * scale, height * scale];
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingQuality = "high";
  pen.filter = invert ? "invert(1)" : "none";
  pen.drawImage(shrunk(source, (sourceWidth - w) / 2, (sourceHeight - v) / 2, w, v, width, height), 0, 0, width, height);
  return canvas;
}

/** Halves the image as often as needed: a browser that shrinks by much at once skips most pixels. */
function shrunk(source, x, y, w, v, width, height) {
  let [from, left, top, wide, high] = [source, x, y, w, v];
  for (;;) {
    const [nextWide, nextHigh] = [Math.max(width, Math.ceil(wide / 2)), Math.max(height, Math.ceil(high / 2))];
    const canvas = Object.assign(document.createElement("canvas"), { width: nextWide, height: nextHigh });
    const pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "high";
    // Transparent parts become black, like the backgrounds of the data sets.
    pen.fillRect(0, 0, nextWide, nextHigh);
    pen.drawImage(from, left, top, wide, high, 0, 0, nextWide, nextHigh);
    if (nextWide === width && nextHigh === height) return canvas;
    [from, left, top, wide, high] = [canvas, 0, 0, nextWide, nextHigh];
  }
}

/** The bytes of a canvas: grey for one channel, else all red, then all green, then all blue. @returns {Uint8Array} */
export function bytesOf(canvas, channels) {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const size = width * height;
  const bytes = new Uint8Array(channels * size);
  for (let k = 0; k < size; k += 1) {
    const [red, green, blue] = data.subarray(4 * k, 4 * k + 3);
    if (channels === 1) bytes[k] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    else [bytes[k], bytes[size + k], bytes[2 * size + k]] = [red, green, blue];
  }
  return bytes;
}

/** The canvas of bytes in the form of bytesOf(). */
export function canvasOf(bytes, [channels, height, width]) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const image = new ImageData(width, height);
  const size = width * height;
  for (let k = 0; k < size; k += 1) {
    const at = (channel) => bytes[(channels === 1 ? 0 : channel) * size + k];
    image.data.set([at(0), at(1), at(2), 255], 4 * k);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

export function toBase64(bytes) {
  let text = "";
  for (let from = 0; from < bytes.length; from += 8192) text += String.fromCharCode(...bytes.subarray(from, from + 8192));
  return btoa(text);
}

/** @returns {Uint8Array} */
export const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
