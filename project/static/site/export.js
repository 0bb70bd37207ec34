// A download leaves the page as it is: say what happens where the file takes longer than two seconds to make.
(() => {
  "use strict";
  const form = document.getElementById("export");
  const words = document.getElementById("making");
  const PATIENCE = 2000;
  const GIVE_UP = 300000;

  // The answer brings this cookie along (people/export_admin.py).
  const isMade = () => document.cookie.split("; ").includes("exported=1");
  const forget = () => {
    document.cookie = `exported=; path=${location.pathname}; max-age=0`;
  };

  form.addEventListener("submit", () => {
    const begun = Date.now();
    forget();
    words.textContent = "";
    const look = setInterval(() => {
      const waited = Date.now() - begun;
      if (isMade() || waited > GIVE_UP) {
        clearInterval(look);
        words.textContent = words.textContent && isMade() ? words.dataset.made : "";
        forget();
      } else if (waited >= PATIENCE && !words.textContent) {
        words.textContent = words.dataset.making;
      }
    }, 200);
  });
})();
