// Keys of the console, as the page /keys lists them. Everything works without this file.
// They rest while somebody types or an input method composes, and for whoever switched single keys off.
(() => {
  "use strict";
  const GO = { h: "/", i: "/cases", a: "/requests", s: "/days", c: "/cash", m: "/members", e: "/activities", p: "/points", d: "/devices", j: "/jobs" };
  const GO_MS = 1500;
  const NO_TEXT = /^(button|checkbox|radio|submit|reset)$/;
  let went = 0;
  let held = "";
  const typing = (at) => at && (at.isContentEditable || /^(TEXTAREA|SELECT)$/.test(at.tagName) || (at.tagName === "INPUT" && !NO_TEXT.test(at.type)));
  const rows = () => {
    const listed = [...document.querySelectorAll(".list li a")];
    return listed.length ? listed : [...document.querySelectorAll("main table tbody tr")].map((row) => row.querySelector("a")).filter(Boolean);
  };
  const at = (all) => all.findIndex((row) => row === document.activeElement || row.getAttribute("aria-current"));
  const move = (by) => {
    const all = rows();
    const next = all[at(all) + by];
    if (!next) return false;
    if (next.closest(".list")) next.click(); else next.focus();
    return true;
  };
  const tick = () => {
    const all = rows();
    const row = all[at(all)];
    const box = row && row.parentElement.querySelector("input[type=checkbox]");
    if (box) box.checked = !box.checked;
    return Boolean(box);
  };
  const help = async () => {
    const shown = document.querySelector("dialog.help");
    if (shown) { shown.showModal(); return; }
    const answer = await fetch("/keys");
    const list = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("keys");
    if (!list) { location.assign("/keys"); return; }
    const dialog = document.createElement("dialog");
    dialog.className = "help";
    dialog.append(list);
    document.body.append(dialog);
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    dialog.showModal();
  };
  const go = (key) => {
    const link = GO[key] && document.querySelector(`nav.side a[href="${GO[key]}"]`);
    if (link) link.click();
    return Boolean(link);
  };
  const press = (key) => {
    const one = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key);
    if (!one) return false;
    if (/^(INPUT|SELECT)$/.test(one.tagName)) { one.focus(); return true; }
    // A verdict needs its reason first.
    const reason = one.form && one.form.elements.reason;
    if (reason && !reason.value.trim()) reason.focus(); else one.click();
    return true;
  };
  const done = (event) => {
    const key = event.key;
    if (went && event.timeStamp - went < GO_MS) { went = 0; return go(key); }
    if (key === "g") { went = event.timeStamp; return true; }
    if (key === "j" || key === "k") return move(key === "j" ? 1 : -1);
    if (key === "x") return tick();
    if (key === "?") { help(); return true; }
    // A key that is held decides once: on the next case it is still the same stroke.
    if (event.repeat) return true;
    const pressed = press(key);
    if (pressed) held = key;
    return pressed;
  };
  document.addEventListener("keyup", () => { held = ""; });
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
    // Nor does it type itself into the field it went to.
    if (event.repeat && event.key === held) { event.preventDefault(); return; }
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    // What was chosen is sent by Enter.
    if (event.key === "Enter" && event.target.tagName === "SELECT" && event.target.dataset.key && event.target.form && event.target.form.method === "post") { event.preventDefault(); event.target.form.requestSubmit(); return; }
    if (document.body.dataset.keys === "off" || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (done(event)) event.preventDefault();
  });
})();
