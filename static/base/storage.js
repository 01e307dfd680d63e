/**
 * What this browser keeps for us. In a frame or a private window the browser may refuse: then nothing is kept, and
 * the page works on.
 */

/** `get(key)`, and `set(key, value)` where null forgets. Merely naming an area may throw, so it is named late. */
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
      // Nothing to do: see above.
    }
  },
});

export const { get, set } = guarded(() => localStorage);

/** The same for this tab alone, until it is closed. */
export const tab = guarded(() => sessionStorage);
