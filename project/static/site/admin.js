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
  document.addEventListener("DOMContentLoaded", () => {
    name();
    // Widgets come late, and with every row that is added.
    new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  });
})();
