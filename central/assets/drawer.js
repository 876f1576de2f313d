// The drawer of a list: a row opens its page beside the list, Esc closes it and gives the focus back to the row.
// Without this file the same links open whole pages.
(() => {
  "use strict";
  const place = document.getElementById("drawer");
  if (!place) return;
  let row = null;
  const open = () => place.querySelector(".drawer");
  const close = () => {
    if (!open()) return;
    place.replaceChildren();
    window.history.replaceState(null, "", place.dataset.back);
    if (row && row.isConnected) row.focus();
    row = null;
  };
  // A click for a tab or window of its own stays the browser's: htmx does not see it.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-drawer], a[data-close]");
    if (!link) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) { event.stopPropagation(); return; }
    if (link.hasAttribute("data-drawer")) { row = link; return; }
    if (place.contains(link)) { event.preventDefault(); close(); }
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || !open()) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    event.preventDefault();
    close();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target !== place) return;
    const title = place.querySelector("#drawer-title");
    if (title) title.focus();
  });
})();
