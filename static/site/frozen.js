/**
 * The script of all frozen pages: fills the header, and unpacks what the reader downloads.
 */

import { frozenDownloads } from "../server/frozen/downloads.js";
import { mount } from "./site.js";

mount(document.body);
frozenDownloads();
