/* Names for what Django's own widgets leave without one: a screen reader would say "combobox" and no more. */
(() => {
  const name = () => {
    for (const box of document.querySelectorAll(".select2-container:not([data-named])")) {
      const select = box.previousElementSibling;
      const label = select && select.labels && select.labels[0];
      const said = label ? label.textContent.trim() : select && (select.getAttribute("aria-label") || select.title);
      if (!said) continue;
      box.dataset.named = "";
      for (const part of box.querySelectorAll('[role="combobox"], [role="textbox"], [role="searchbox"]')) {
        part.removeAttribute("aria-labelledby");
        part.setAttribute("aria-label", said);
      }
    }
    for (const link of document.querySelectorAll("#changelist a:not([href]):not([data-pressed])")) {
      link.dataset.pressed = "";
      link.setAttribute("role", "button");
      link.tabIndex = 0;
    }
    for (const tip of document.querySelectorAll(".help-tooltip[aria-label]:not([role])")) tip.setAttribute("role", "img");
  };
  // What Unfold opens by a click alone, the keyboard opens, too: the filters, whose first field is then where one goes on.
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches("a[data-pressed]") || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    event.target.click();
    setTimeout(() => document.querySelector("#changelist-filter :is(select, input:not([type=hidden]))")?.focus(), 100);
  });
  // A question over the page has the keyboard until it is answered, and gives it back to where it was asked.
  let asked;
  const question = () => [...document.querySelectorAll("#dialog")].find((one) => one.offsetParent);
  const stops = () =>
    [...question().querySelectorAll("a[href], button, select, textarea, input:not([type=hidden])")].filter(
      (one) => !one.disabled && one.offsetParent
    );
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!["modal-content", "dialog-form"].includes(event.detail.target.id)) return;
    if (event.detail.target.id === "modal-content") asked = document.activeElement;
    setTimeout(() => question() && stops()[0]?.focus(), 50);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Tab" || !question()) return;
    const found = stops();
    const [from, to] = event.shiftKey ? [found[0], found.at(-1)] : [found.at(-1), found[0]];
    if (found.includes(document.activeElement) && document.activeElement !== from) return;
    event.preventDefault();
    to?.focus();
  });
  for (const out of ["click", "keydown"]) {
    document.addEventListener(out, () => setTimeout(() => asked && !question() && (asked.focus(), (asked = null)), 100));
  }
  document.addEventListener("DOMContentLoaded", () => {
    name();
    // Widgets come late, and with every row that is added.
    new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  });
})();
