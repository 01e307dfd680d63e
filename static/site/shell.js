/**
 * What a page without Gradio adds to its HTML: the theme that the reader chose, and what the header tells.
 */

import { mount } from "./site.js";

mount(document.body);
