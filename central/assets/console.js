// Keys of the console. Everything works without this file.
(() => {
  "use strict";
  const typing = (at) => at && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
  const alertBox = document.querySelector(".alert.bad");
  if (alertBox) alertBox.focus();
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (typing(event.target)) return;
    if (event.key === "j" || event.key === "k") {
      const rows = [...document.querySelectorAll(".list li a")];
      const at = rows.findIndex((row) => row.getAttribute("aria-current"));
      const next = rows[at + (event.key === "j" ? 1 : -1)];
      if (next) { event.preventDefault(); next.click(); }
      return;
    }
    const keyed = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
    if (!keyed) return;
    event.preventDefault();
    if (keyed.tagName === "INPUT") { keyed.focus(); return; }
    // A verdict needs its reason first.
    const reason = keyed.form && keyed.form.elements.reason;
    if (reason && !reason.value.trim()) { reason.focus(); return; }
    keyed.click();
  });
  // One press, one act.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    if (event.target.method === "post") event.target.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });
})();
