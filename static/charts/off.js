/**
 * The steps by which a layer is coloured for the share of its features that is switched off.
 */

/** Looks from none to all; a step holds for shares up to `most`. */
export const OFF_STEPS = [
  { look: "off-0", most: 0, words: "none" },
  { look: "off-1", most: 0.1, words: "up to 10 %" },
  { look: "off-2", most: 0.25, words: "25 %" },
  { look: "off-3", most: 0.5, words: "50 %" },
  { look: "off-4", most: 0.75, words: "75 %" },
  { look: "off-5", most: 1, words: "more" },
];

export const OFF_LOOKS = OFF_STEPS.map(({ look }) => look);

/** The look of a layer of whose features `share` (0..1) is off; undefined: nothing is known of it. */
export const offLook = (share = 0) => OFF_STEPS.find(({ most }) => share <= most + 1e-9).look;
