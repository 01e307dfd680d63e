/**
 * The letters of a norm layer's two parameters, by their names in the feed.
 */

export const LETTERS = { gamma: "γ", beta: "β" };
