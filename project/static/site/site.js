// What JavaScript adds where it is there: the theme shared with the admin, and a guess at the time zone at sign-up.
(() => {
  "use strict";
  const KEY = "adminTheme"; // Unfold keeps "light", "dark" or "auto" here, written as JSON.
  const root = document.documentElement;
  const prefersDark = () => window.matchMedia("(prefers-color-scheme: dark)").matches;

  function stored() {
    try {
      return JSON.parse(localStorage.getItem(KEY));
    } catch {
      return null;
    }
  }

  function show(theme) {
    root.classList.toggle("dark", theme === "dark");
    root.classList.toggle("light", theme === "light");
  }

  show(stored());

  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const dark = root.classList.contains("dark") || (!root.classList.contains("light") && prefersDark());
        const theme = dark ? "light" : "dark";
        try {
          localStorage.setItem(KEY, JSON.stringify(theme));
        } catch {
          // A browser that keeps nothing shows it until the next page.
        }
        show(theme);
      });
    }
    for (const select of document.querySelectorAll("select[data-guess-zone]")) {
      const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
      if (!select.value && [...select.options].some((option) => option.value === here)) {
        select.value = here;
      }
    }
  });
})();
