// Asks now and then whether the page shows the newest, and loads it again if not.
"use strict";
(() => {
  const shown = document.querySelector('meta[name="primum-version"]').content;
  const address = new URL(location.href);
  address.hash = "";
  address.searchParams.set("live", "1");
  let wait = 3000;
  const ask = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(address, { credentials: "same-origin", cache: "no-store" });
        if (answer.ok) {
          wait = 3000;
          if ((await answer.text()) !== shown) {
            location.reload();
            return;
          }
        } else {
          wait = Math.min(wait * 2, 60000);
        }
      } catch {
        wait = Math.min(wait * 2, 60000);
      }
    }
    setTimeout(ask, wait);
  };
  setTimeout(ask, wait);
})();
