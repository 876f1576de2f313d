// Shows the real state and sends what hands do. Nothing is ticked here: the checklist follows the facts that come back.
"use strict";
(() => {
  // A card that comes back sooner than this counts for the terminal as one that trembled.
  const LOOK_MS = 800, AGAIN_MS = 2000;
  const words = document.body.dataset;
  const steps = [...document.querySelectorAll("ol > li")];
  const terminals = [...document.querySelectorAll(".terminal")];
  const said = document.getElementById("said");
  const say = (text) => { if (said.textContent !== text) said.textContent = text; };
  const put = (place, text, kind) => {
    if (place.textContent !== text) place.textContent = text;
    place.classList.remove("ok", "wait", "bad");
    if (kind) place.classList.add(kind);
  };

  const pictures = [null, null];
  const show = (facts) => {
    facts.done.forEach((done, n) => steps[n].classList.toggle("done", done));
    document.getElementById("count").textContent = facts.done.filter(Boolean).length + "/" + facts.done.length;
    facts.terminals.forEach((terminal, n) => {
      const place = terminals[n];
      const [state, kind] = !terminal.on ? [words.off, "bad"]
        : terminal.online ? [words.online, "ok"] : [words.offline, "wait"];
      put(place.querySelector(".link"), state, kind);
      put(place.querySelector(".queue"), words.waiting + " " + terminal.queue, terminal.queue ? "wait" : "");
      if (pictures[n] !== terminal.picture) {
        pictures[n] = terminal.picture;
        place.querySelector(".display").src = "/display/" + "ab"[n] + ".png?v=" + terminal.picture;
      }
    });
    put(document.querySelector(".cases"), words.facts + " " + facts.open_cases, facts.open_cases ? "wait" : "ok");
    document.querySelector("[data-act=cut]").disabled = facts.cut;
    document.querySelector("[data-act=mend]").disabled = !facts.cut;
    const cut = facts.power_cut, books = facts.compared;
    document.getElementById("kept").textContent = cut ? words.kept + " " + cut.kept + " / " + cut.before : "";
    document.getElementById("compared").textContent =
      books ? (books.agrees ? words.agrees : words.differs) + " " + books.line : "";
  };

  let misses = 0;
  const look = async () => {
    try {
      const answer = await fetch("/facts.json", { signal: AbortSignal.timeout(20000) });
      if (!answer.ok) throw new Error(answer.status);
      show(await answer.json());
      if (misses > 2) say("");
      misses = 0;
    } catch {
      misses += 1;
      if (misses > 2) say(words.gone);
    }
    setTimeout(look, LOOK_MS);
  };
  look();

  addEventListener("click", async (event) => {
    const button = event.target.closest("[data-act], [data-card]");
    if (!button) return;
    const { act, card } = button.dataset;
    button.disabled = true;
    say(act === "power_cut" || act === "compare" ? words.busy : "");
    try {
      const answer = await fetch("/act", {
        method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify(card ? { act: "present", card } : { act }),
      });
      const failed = answer.ok ? "" : words.failed + " " + ((await answer.json()).error ?? answer.status);
      say(failed);
    } catch { say(words.gone); }
    setTimeout(() => { button.disabled = false; }, card ? AGAIN_MS : 0);
  });
})();
