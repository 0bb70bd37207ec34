// What JavaScript adds where it is there: the theme shared with the admin, a guess at the time zone at sign-up, passkeys, and
// a list of mentors that follows what one chooses.
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

  // What the scripts of the key pages say when a key gave no answer, or somebody thought better of it.
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    document.querySelector("[data-key-failed]").hidden = false;
  });

  // The list of mentors is fetched anew as one chooses. What is no such list (a log-in, an error) is shown as a page.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig, isError } = event.detail;
    if (isError || new URL(xhr.responseURL).pathname !== location.pathname) {
      event.preventDefault();
      requestConfig.elt.submit();
    }
  });
  document.addEventListener("htmx:sendError", (event) => event.detail.requestConfig.elt.submit());

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
    for (const button of document.querySelectorAll("[data-needs-keys]")) {
      button.hidden = !window.PublicKeyCredential;
    }
    for (const select of document.querySelectorAll("select[data-guess-zone]")) {
      const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
      if (!select.value && [...select.options].some((option) => option.value === here)) {
        select.value = here;
      }
    }
  });
})();
