// The tray: shows the cards and terminals that the server has, and sends what a hand does with them.
"use strict";
(() => {
  const words = document.body.dataset;
  const colours = ["#0B5CAD", "#0F6B37", "#8A4B08", "#6A2C91", "#B3141B", "#3A4353"];
  const said = document.getElementById("said");
  let chosen = null;

  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  const say = (text) => { said.textContent = text; };

  const refusal = (code) =>
    words["error" + code.split("-").map((word) => word[0].toUpperCase() + word.slice(1)).join("")] || code;

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

  function showCards(cards) {
    const tray = document.getElementById("cards");
    cards.forEach((card, index) => {
      const button = element("button", "", "card " + card.kind);
      button.type = "button";
      button.setAttribute("aria-pressed", "false");
      button.style.setProperty("--plastic", card.colour || colours[index % colours.length]);
      button.append(element("strong", card.label));
      if (card.note) button.append(element("small", card.note, "note"));
      button.append(element("small", words[card.kind === "pcsc" ? "kindPcsc" : "kindStripe"]));
      button.addEventListener("click", () => {
        for (const other of tray.children) other.setAttribute("aria-pressed", String(other === button));
        chosen = card;
        say("");
      });
      tray.append(button);
    });
  }

  async function act(terminal, deed, buttons) {
    if (deed !== "remove" && !chosen) return say(words.chooseFirst);
    const card = chosen;
    for (const button of buttons) button.disabled = true;
    say(words.busy);
    try {
      const path = `/terminals/${encodeURIComponent(terminal)}/${deed}`;
      const answer = await ask(path, deed === "remove" ? {} : { card: card.label });
      const text = { tap: answer.read ? words.tapped : words.notRead, swipe: words.swiped, insert: words.lying };
      say(deed === "remove" ? words.noCard : `${text[deed]} ${card.label}`);
    } catch (error) {
      failed(error);
    }
    for (const button of buttons) button.disabled = false;
    refresh();
  }

  function showTerminals(terminals) {
    const place = document.getElementById("terminals");
    for (const terminal of terminals) {
      const box = element("article", "", "terminal");
      box.dataset.name = terminal.name;
      box.append(element("h3", terminal.name), element("p"));
      const row = element("div");
      const deeds = [];
      if (terminal.pcsc) deeds.push(["tap", words.tap], ["insert", words.hold], ["remove", words.remove]);
      if (terminal.stripe) deeds.push(["swipe", words.swipe]);
      const buttons = deeds.map(([deed, text]) => {
        const button = element("button", text, deed === "tap" || deed === "swipe" ? "first" : "");
        button.type = "button";
        button.addEventListener("click", () => act(terminal.name, deed, buttons));
        return button;
      });
      row.append(...buttons);
      box.append(row);
      place.append(box);
    }
    showLying(terminals);
  }

  function showLying(terminals) {
    for (const terminal of terminals) {
      const line = document.querySelector(`.terminal[data-name="${CSS.escape(terminal.name)}"] p`);
      if (!line || !terminal.pcsc) continue;
      const lying = terminal.lying ? `${words.lying} ${terminal.lying}` : words.noCard;
      line.textContent = terminal.busy ? words.busy : lying;
    }
  }

  const refresh = () => ask("/terminals").then(showLying).catch(failed);

  ask("/cards").then(showCards).catch(failed);
  ask("/terminals").then(showTerminals).catch(failed);
})();
