/**
 * The field for the admin token.
 */

import { focusAtOpening, h, show } from "../../base/dom.js";
import { signIn } from "../../server/admin.js";

/** {form, focus}. */
export function signInForm() {
  const field = h("input", {
    type: "password",
    id: "admin-token",
    class: "search",
    autocomplete: "off",
    maxlength: 200,
    "aria-describedby": "admin-token-help",
  });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "button primary" }, "Sign in");
  const form = h(
    "form",
    { class: "card admin-sign-in" },
    h("label", { for: "admin-token" }, "Admin token"),
    h("div", { class: "admin-row" }, field, button),
    h(
      "p",
      { class: "quiet", id: "admin-token-help" },
      "The value of ",
      h("code", {}, "ONLYBN_ADMIN_TOKEN"),
      " on this server. It stays in this tab until you sign out or close it, and never appears in a link.",
    ),
    problem,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const why = await signIn(field.value.trim());
    button.disabled = false;
    problem.textContent = why;
    show(problem, Boolean(why));
    if (!why) return;
    field.focus();
    field.select();
  });
  return { form, focus: () => focusAtOpening(field) };
}
