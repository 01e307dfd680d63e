/**
 * The field for an address that is told when the run has ended. It is no part of the spec, nor of the page's link.
 */

import { show, slot } from "../../base/dom.js";
import { allowance } from "../../server/allowance.js";
import { asAddress } from "../../server/webhooks.js";

/** Shows the field if this server sends webhooks. */
export function mount(element) {
  const update = () => show(slot(element, "webhook"), Boolean(allowance.value) && allowance.value.webhooks !== "off");
  allowance.addEventListener("change", update);
  allowance.watch();
  update();
}

/** What the field says, as a header can hold it; "" if nothing. Throws Refusal. */
export const webhookAddress = () => asAddress(document.getElementById("webhook-address")?.value ?? "");
