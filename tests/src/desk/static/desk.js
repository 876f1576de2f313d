// The tray: shows the cards and terminals that the server has, and sends what a hand does with them.
"use strict";
(() => {
  const words = document.body.dataset;
  const colours = ["#0B5CAD", "#0F6B37", "#8A4B08", "#6A2C91", "#B3141B", "#3A4353"];
  // Which cards each deed is for.
  const deeds = {
    tap: ["pcsc", "sector", "ntag", "file", "chip"], insert: ["pcsc", "sector", "ntag", "file"],
    swipe: ["stripe"], scan: ["code"], keyed_swipe: ["stripe"],
  };
  const said = document.getElementById("said");
  const place = document.getElementById("terminals");
  let chosen = null;

  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  const button = (text, className, press) => {
    const made = element("button", text, className);
    made.type = "button";
    made.addEventListener("click", press);
    return made;
  };

  const say = (text) => { said.textContent = text; };
  const capital = (word) => word[0].toUpperCase() + word.slice(1);
  const refusal = (code) => words["error" + code.split("-").map(capital).join("")] || code;

  async function ask(path, body) {
    const options = body === undefined ? {} : {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    };
    const answer = await fetch(path, options);
    const value = answer.status === 204 ? {} : await answer.json();
    if (!answer.ok) throw new Error(refusal(value.code || String(answer.status)));
    return value;
  }

  const failed = (error) => say(error instanceof TypeError ? words.unreachable : error.message);

  function choose(card, pressed) {
    for (const other of document.querySelectorAll("#cards .card")) other.setAttribute("aria-pressed", String(other === pressed));
    chosen = card;
    for (const act of document.querySelectorAll("[data-deed]")) {
      const kinds = deeds[act.dataset.deed];
      if (kinds) act.classList.toggle("first", kinds.includes(card.kind));
    }
    say("");
  }

  function showCards(cards) {
    const tray = document.getElementById("cards");
    cards.forEach((card, index) => {
      const made = button("", "card " + card.kind, () => choose(card, made));
      made.setAttribute("aria-pressed", "false");
      made.style.setProperty("--plastic", card.colour || colours[index % colours.length]);
      made.append(element("strong", card.label));
      if (card.note) made.append(element("small", card.note, "note"));
      made.append(element("small", words["kind" + capital(card.kind)]));
      tray.append(made);
    });
  }

  // One deed at a terminal; its buttons rest until it is done.
  async function act(box, send, done) {
    const buttons = [...box.querySelectorAll("button")].filter((each) => !each.disabled);
    for (const each of buttons) each.disabled = true;
    say(words.busy);
    try {
      say(done(await send()));
    } catch (error) {
      failed(error);
    }
    for (const each of buttons) each.disabled = false;
    refresh();
  }

  const path = (box, deed) => `/terminals/${encodeURIComponent(box.dataset.name)}/${deed}`;

  function present(box, deed) {
    if (deed === "remove") return act(box, () => ask(path(box, deed), {}), () => words.noCard);
    if (!chosen) return say(words.chooseFirst);
    const { label } = chosen;
    const text = { insert: words.lying, swipe: words.swiped, scan: words.scanned, keyed_swipe: words.swiped };
    const done = (answer) => `${text[deed] || (answer.read ? words.tapped : words.notRead)} ${label}`;
    return act(box, () => ask(path(box, deed), { card: label }), done);
  }

  function keypad(box) {
    const part = element("div", "", "keypad");
    part.append(element("h4", words.keys));
    const screen = element("pre", "", "screen");
    screen.setAttribute("aria-label", words.screen);
    screen.setAttribute("role", "img");
    const pad = element("div", "", "pad");
    const press = (keys) => act(box, () => ask(path(box, "keys"), { keys }), () => `${words.pressed} ${keys}`);
    for (const key of "123456789") pad.append(button(key, "", () => press(key)));
    pad.append(button(words.keyClear, "", () => press("C")), button("0", "", () => press("0")), button(words.keyEnter, "", () => press("E")));
    const row = element("div", "", "row");
    const label = element("label", words.amount);
    const amount = element("input");
    amount.inputMode = "decimal";
    amount.size = 8;
    label.append(amount);
    const confirm = () => {
      const fen = Math.round(Number(amount.value) * 100);
      return act(box, () => ask(path(box, "amount"), { fen: Number.isSafeInteger(fen) && fen > 0 ? fen : 0 }), () => `${words.pressed} ${amount.value}`);
    };
    const keyed = button(words.keyed, "", () => present(box, "keyed_swipe"));
    keyed.dataset.deed = "keyed_swipe";
    row.append(label, button(words.confirm, "", confirm), button(words.keyCancel, "", () => press("X")), keyed);
    part.append(screen, pad, row);
    return part;
  }

  function cables(box, terminal) {
    const part = element("div", "", "cables");
    part.append(element("h4", words.cables));
    const row = element("div", "", "row");
    for (const { name } of terminal.cables) {
      const made = button("", "cable", () => {
        const plugged = made.getAttribute("aria-pressed") !== "true";
        const done = () => `${plugged ? words.plugged : words.pulled} ${words["cable" + capital(name)]}`;
        return act(box, () => ask(path(box, "cable"), { cable: name, plugged }), done);
      });
      made.dataset.cable = name;
      row.append(made);
    }
    part.append(row);
    return part;
  }

  function showTerminals(terminals) {
    for (const terminal of terminals) {
      const box = element("article", "", "terminal");
      box.dataset.name = terminal.name;
      box.append(element("h3", terminal.name));
      const takes = (kinds) => kinds.some((kind) => terminal.takes.includes(kind));
      const row = element("div", "", "row");
      const add = (deed, text) => {
        const made = button(text, "", () => present(box, deed));
        made.dataset.deed = deed;
        row.append(made);
      };
      if (takes(deeds.insert)) box.append(element("p"));
      if (takes(deeds.tap)) add("tap", words.tap);
      if (takes(deeds.insert)) { add("insert", words.hold); add("remove", words.remove); }
      if (takes(deeds.swipe)) add("swipe", words.swipe);
      if (takes(deeds.scan)) add("scan", words.scan);
      box.append(row);
      if (terminal.keys) box.append(keypad(box));
      if (terminal.cables.length) box.append(cables(box, terminal));
      if (terminal.printed !== null) {
        const paper = element("div", "", "paper");
        paper.append(element("h4", words.paper), element("p", words.paperNone));
        box.append(paper);
      }
      place.append(box);
    }
    showState(terminals);
  }

  function showPaper(box, terminal) {
    const paper = box.querySelector(".paper");
    if (!paper || !terminal.printed || paper.dataset.printed === String(terminal.printed)) return;
    const picture = new Image();
    picture.alt = words.paper;
    // A receipt that is half printed has no picture yet.
    picture.addEventListener("load", () => {
      paper.dataset.printed = String(terminal.printed);
      paper.querySelector("p, img").replaceWith(picture);
    });
    picture.src = `${path(box, "paper.png")}?${terminal.printed}`;
  }

  function showState(terminals) {
    for (const terminal of terminals) {
      const box = place.querySelector(`[data-name="${CSS.escape(terminal.name)}"]`);
      if (!box) continue;
      const line = box.querySelector("h3 + p");
      const lying = terminal.lying.length ? `${words.lying} ${terminal.lying.join(" · ")}` : words.noCard;
      if (line) line.textContent = terminal.busy ? words.busy : lying;
      const screen = box.querySelector(".screen");
      if (screen) screen.textContent = terminal.keys.lines.join("\n");
      for (const cable of terminal.cables) {
        const made = box.querySelector(`[data-cable="${cable.name}"]`);
        made.setAttribute("aria-pressed", String(cable.plugged));
        made.textContent = `${cable.plugged ? words.pull : words.plug} ${words["cable" + capital(cable.name)]}`;
      }
      showPaper(box, terminal);
    }
  }

  const refresh = () => ask("/terminals").then(showState).catch(failed);

  ask("/cards").then(showCards).catch(failed);
  ask("/terminals").then((terminals) => {
    showTerminals(terminals);
    // What the terminals say by themselves: prompts, paper.
    setInterval(refresh, 1000);
  }).catch(failed);
})();
