// Keeps the counter page current, sounds each new outcome once, and spares touch screens the page reload.
// Without it the page still works: every control is a plain form or link.
"use strict";
(() => {
  const POLL_MS = 5000, AGE_MS = 20000, FETCH_MS = 8000;
  const $ = (id) => document.getElementById(id);
  document.documentElement.classList.add("js");
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
  const page = document.querySelector("main")?.dataset ?? {};
  for (const button of document.querySelectorAll("[data-pin]")) {
    button.addEventListener("click", () => {
      const field = $("pin"), key = button.dataset.pin;
      field.value = key === "back" ? field.value.slice(0, -1) : (field.value + key).slice(0, field.maxLength);
      if (key !== "back" && field.value.length === field.maxLength) field.form.requestSubmit();
    });
  }
  if (!$("bar")) return;

  // --- sound -----------------------------------------------------------------------------------------------
  const { muted, volume } = page;
  const clips = new Map();
  let audio = null;
  // Browsers keep a page silent until somebody has touched it.
  const wake = () => {
    audio ??= new AudioContext();
    if (audio.state === "suspended") audio.resume().catch(() => {});
  };
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, wake, { passive: true });
  const sound = (panel) => {
    const insists = panel.dataset.insists === "true", url = panel.dataset.voice;
    if (muted === "true" && !insists) return;
    // A site that is turned down still hears its refusals.
    const loud = Math.max(Number(volume) / 100, insists ? 0.3 : 0);
    if (!loud) return;
    if (!url) return tones(panel, loud);
    const clip = clips.get(url) ?? new Audio(url);
    clips.set(url, clip);
    clip.volume = loud;
    clip.currentTime = 0;
    clip.play().catch(() => tones(panel, loud));
  };
  const tones = (panel, volume) => {
    try { wake(); } catch { return; }
    const top = volume / 2;
    let at = audio.currentTime + 0.02;
    for (const note of panel.dataset.tones.split(",").filter(Boolean)) {
      const [hz, ms] = note.split(":").map(Number), end = at + ms / 1000;
      if (hz > 0) {
        const tone = audio.createOscillator(), loud = audio.createGain();
        tone.frequency.value = hz;
        loud.gain.setValueAtTime(0, at);
        loud.gain.linearRampToValueAtTime(top, at + 0.01);
        loud.gain.setValueAtTime(top, Math.max(at + 0.01, end - 0.03));
        loud.gain.linearRampToValueAtTime(0, end);
        tone.connect(loud).connect(audio.destination);
        tone.start(at);
        tone.stop(end);
      }
      at = end;
    }
  };

  // The set-up page: a sound is heard here, and the terminal's own light and buzzer are told.
  addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || !("play" in button.dataset)) return;
    event.preventDefault();
    sound(button);
    const fields = new URLSearchParams({ act: button.value });
    // The question whether it was heard comes when it has been.
    const heard = () => setTimeout(() => location.replace("/setup?" + Date.now() + "#sound"), 1500);
    fetch("/setup", { method: "POST", body: fields, redirect: "manual" }).then(heard, heard);
  });
  if (!$("bar")) return;

  // --- swapping --------------------------------------------------------------------------------------------
  let heard = Number($("result").dataset.n);
  const swap = (html) => {
    const next = new DOMParser().parseFromString(html, "text/html");
    // A newer program may bring other styles and another script.
    const build = next.getElementById("bar")?.dataset.build;
    if (build && build !== $("bar").dataset.build) return location.reload();
    for (const fresh of next.querySelectorAll("[data-swap]")) {
      const old = $(fresh.id);
      // What the reader has opened stays open.
      for (const open of old?.querySelectorAll("[data-keep][open]") ?? []) {
        fresh.querySelector("#" + open.id)?.setAttribute("open", "");
      }
      if (!old || old.outerHTML === fresh.outerHTML) continue;
      const focused = old.contains(document.activeElement) && document.activeElement.id;
      for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
      old.innerHTML = fresh.innerHTML;
      if (focused) $(focused)?.focus({ preventScroll: true });
    }
    const panel = $("result"), n = Number(panel.dataset.n);
    if (n > heard) {
      heard = n;
      panel.getAnimations().forEach((a) => { a.cancel(); a.play(); });
      sound(panel);
    }
  };

  // --- fetching --------------------------------------------------------------------------------------------
  let running = false, again = false, stream = null;
  const ask = (url, options = {}) =>
    fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout(FETCH_MS), ...options,
      headers: { "X-Fragment": "1" } });
  // Neither stream nor answer: what stands on the page may be wrong by now, and must look so.
  const alive = (ok) => {
    const dead = !ok && stream?.readyState !== EventSource.OPEN;
    $("dead").hidden = !dead;
    if (dead) $("slow").hidden = true;
    document.body.classList.toggle("dead", dead);
  };
  const refresh = async () => {
    if (running) { again = true; return; }
    running = true;
    try {
      const answer = await ask("/panel");
      // Unpaired meanwhile: the page must not stand there with what it showed.
      if (answer.status === 401) return location.reload();
      if (answer.ok) swap(await answer.text());
      alive(answer.ok);
    } catch { alive(false); }
    running = false;
    if (again) { again = false; refresh(); }
  };
  // A picture takes the place of the last one once it is here: while the terminal restarts the last one stays.
  const picture = (version) => {
    const img = $("display"), next = new Image();
    if (!img) return;
    next.onload = () => { img.src = next.src; };
    next.src = "/display.png?v=" + version;
  };

  const live = () => {
    stream = new EventSource("/live");
    stream.addEventListener("view", (event) => {
      if (event.data !== $("bar").dataset.version) refresh();
    });
    stream.addEventListener("display", (event) => picture(event.data));
    stream.onopen = () => { $("slow").hidden = true; alive(true); };
    stream.onerror = () => { $("slow").hidden = !$("dead").hidden; setTimeout(refresh, 500); };
  };
  live();
  let polls = 0;
  setInterval(() => {
    polls += 1;
    const streaming = stream.readyState === EventSource.OPEN;
    if (stream.readyState === EventSource.CLOSED) live();
    if (!streaming) picture("poll" + polls);
    // A stream that is open may still be dead at the other end, and ages must move on.
    if (!streaming || polls % (AGE_MS / POLL_MS) === 0) refresh();
  }, POLL_MS);
  addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });

  // --- forms -----------------------------------------------------------------------------------------------
  let sending = false;
  addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    event.preventDefault();
    // A second tap while the first is under way does nothing.
    if (sending) return;
    sending = true;
    document.body.classList.add("busy");
    const fields = new URLSearchParams(new FormData(form));
    if (event.submitter?.name) fields.set(event.submitter.name, event.submitter.value);
    try {
      const answer = await ask(form.getAttribute("action"), { method: "POST", body: fields });
      swap(await answer.text());
      alive(true);
      if (answer.ok && "reset" in form.dataset) { form.reset(); document.activeElement?.blur(); }
      if (answer.ok && form.dataset.pane) $("pane-swipe").checked = true;
      if (answer.ok) touched = null;
      scrollTo({ top: 0 });
    } catch { alive(false); }
    sending = false;
    document.body.classList.remove("busy");
  });

  // --- number keys -----------------------------------------------------------------------------------------
  // The keys write into the field of their form that was touched last.
  let touched = null;
  addEventListener("focusin", (event) => { if (event.target.matches("input[inputmode]")) touched = event.target; });
  addEventListener("click", (event) => {
    const key = event.target.dataset?.key, form = event.target.form;
    if (!key || !form) return;
    const field = form.contains(touched) ? touched : form.querySelector("input[inputmode]");
    if (key === "back") field.value = field.value.slice(0, -1);
    else if (field.value.length < field.maxLength && !(key === "." && field.value.includes("."))) field.value += key;
  });
})();
