// What every form of the console does. Everything works without this file; keys are in keys.js, news in live.js.
(() => {
  "use strict";
  const alertBox = document.querySelector(".alert.bad");
  if (alertBox) alertBox.focus();
  // One press, one act.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    if (event.target.method === "post") event.target.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });
})();
