/**
 * What this browser keeps for us. In a frame or a private window the browser may refuse: then nothing is kept, and
 * the page works on.
 */

export function get(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Keeps `value`; null forgets it. */
export function set(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Nothing to do: see above.
  }
}
