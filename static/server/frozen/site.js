/**
 * The address of the frozen site in its documents: the one who freezes it does not know it, so they have a stand-in.
 */

import { at } from "../../base/place.js";

/** A link with the stand-in (app/freeze/runs.py): its path and what follows the "?". */
export const SITE = /https:\/\/frozen\.onlybn\.invalid(\/\w*)(\?)?/g;

/** Replaces a match of SITE: the same page of this site. */
export const here = (_, path, query = "") => new URL(at(path || "/") ?? "", location.href).href + query;
