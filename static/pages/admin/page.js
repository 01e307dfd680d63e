/**
 * The page of the operator. It asks once for the admin token, which stays in this tab. Within a page of another
 * site it shows nothing, so that nobody is led to click in it.
 */

import { h } from "../../base/dom.js";
import { repeat } from "../../server/live.js";
import { askAsAdmin, isAdmin, signOut } from "../../server/admin.js";
import { complaintsPanel } from "./complaints.js";
import { queuePanel } from "./queue.js";
import { reportsPanel } from "./reports.js";
import { runsPanel } from "./runs.js";
import { signInForm } from "./signin.js";

const EVERY_MS = 4000;

export function mount(element) {
  const page = element.querySelector(".admin-page");
  document.title = "Admin · OnlyBN";
  if (window.top !== window.self) return page.replaceChildren(framed());
  let task = null;

  const draw = () => {
    task?.stop();
    task = null;
    if (!isAdmin()) {
      const { form, focus } = signInForm();
      page.replaceChildren(h("h1", {}, "Admin"), form);
      return focus();
    }
    const out = h("button", { type: "button", class: "button", onclick: signOut }, "Sign out");
    const again = () => task?.wake();
    const [queue, reports, runs] = [queuePanel(again), reportsPanel(again), runsPanel(again)];
    const complaints = complaintsPanel(again);
    const head = h("div", { class: "page-head" }, h("h1", {}, "Admin"), out);
    page.replaceChildren(head, queue.element, reports.element, complaints.element, runs.element);
    task = repeat(async () => {
      queue.update(await askAsAdmin("/api/admin"));
      reports.update((await askAsAdmin("/api/admin/reports")).reports);
      complaints.update((await askAsAdmin("/api/admin/complaints")).complaints);
      runs.update(await askAsAdmin(runs.address()));
      return true;
    }, EVERY_MS);
  };
  document.addEventListener("onlybn:admin", draw);
  draw();
}

const framed = () =>
  h("p", {}, "This page does not work inside another page: ", h("a", { href: "/admin", target: "_blank", rel: "noopener" }, "open it in a tab"), ".");
