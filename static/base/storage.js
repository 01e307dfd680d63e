/**
 * Values that this browser stores. In a frame or a private window the browser may refuse: then nothing is stored, and
 * the page still works.
 */

/** `get(key)`, and `set(key, value)`, where null deletes. `area` is a function: mere access to the area may throw. */
const guarded = (area) => ({
  get(key) {
    try {
      return area().getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      if (value === null) area().removeItem(key);
      else area().setItem(key, value);
    } catch {
      // The page works without it.
    }
  },
});

export const { get, set } = guarded(() => localStorage);

/** The same for this tab only, until it closes. */
export const tab = guarded(() => sessionStorage);
