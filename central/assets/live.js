// Says when the stream of a page is dead, and asks every half minute until it is there again.
(() => {
  "use strict";
  const POLL_MS = 30000;
  const count = document.getElementById("cases-count");
  const off = document.getElementById("live-off");
  let asking = 0;
  const ask = () => {
    for (const id of ["live-poll", "news"]) {
      const one = document.getElementById(id);
      if (one) htmx.trigger(one, "refresh");
    }
  };
  const dead = (is) => {
    if (off) off.hidden = !is;
    if (is && !asking) asking = setInterval(ask, POLL_MS);
    if (!is && asking) { clearInterval(asking); asking = 0; }
  };
  document.body.addEventListener("htmx:sseError", () => dead(true));
  document.body.addEventListener("htmx:sseOpen", () => dead(false));
  // A badge of none is no badge.
  const show = () => { if (count) count.hidden = count.textContent.trim() === "0"; };
  document.body.addEventListener("htmx:sseMessage", show);
  document.body.addEventListener("htmx:afterSwap", show);
  // A page that is left must not look alive, nor count as dead.
  window.addEventListener("pagehide", () => dead(false));
})();
