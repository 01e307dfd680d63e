/**
 * The script of pages without Gradio: sets the reader's theme and fills the header.
 */

import { mount } from "./site.js";

mount(document.body);
