//! `/card`: a card reported lost, a new one in its place, and how far the terminals know it (rules H5, H6, X9, X10).
//!
//! What this terminal did it knows itself. What others hold only the centre knows, by what each said when it was last in
//! contact: the page asks for it, names that moment, and where it cannot ask says that nobody here can know.
//! Invariants: no card number and no token is on the page.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use hufu_shared::member::CardStatus;
use hufu_shared::token::Token;
use hufu_shared::wire::spread::{SpreadAnswer, SpreadTerminal};
use tokio::sync::oneshot;

use super::super::forms::Refused;
use super::super::pages::Frame;
use super::super::port::{Declined, Order, Snapshot};
use super::super::routes::{Choice, Counter, choose, html};
use super::super::words::Ui;
use super::forms::{Input, given};
use super::routes::{status_of, style};
use super::{CardDesk, DeskOrder, Done, GuestCard, StoppedCard};
use crate::state::Finding;

/// What came of asking the centre how far a block is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spread {
    /// It was not asked: this terminal is offline.
    Offline,
    /// Nothing leaves the terminal while it is practised at.
    Practice,
    /// It gave no answer.
    Silent,
    /// Its answer.
    Answer(SpreadAnswer),
}

/// The member whose card was shown last.
#[derive(Debug)]
pub struct GuestPart {
    /// What the forms send.
    pub n: u64,
    /// Name, as far as staff may see it.
    pub name: String,
    /// Level and card.
    pub marks: Vec<String>,
    /// The card's state, and the class of its badge.
    pub state: (String, &'static str),
    /// Whether it can be reported lost.
    pub can_report: bool,
    /// What giving a new card in its place is called; none where that cannot be.
    pub replace: Option<String>,
}

/// One terminal and whether it refuses the card.
#[derive(Debug)]
pub struct TerminalLine {
    /// What people call it, with its office.
    pub name: String,
    /// Whether it refuses the card, and the class of that badge.
    pub state: (String, &'static str),
    /// When it was last in contact.
    pub heard: String,
}

/// How far a block is known.
#[derive(Debug)]
pub struct SpreadPart {
    /// Whose card.
    pub card: String,
    /// What this terminal knows by itself.
    pub here: String,
    /// What is not known, or not done yet.
    pub unknown: Option<String>,
    /// How many have it and how many do not.
    pub sums: Option<String>,
    /// The terminals, those that lack it first.
    pub terminals: Vec<TerminalLine>,
    /// That there are more than are named.
    pub more: Option<String>,
    /// When the centre looked.
    pub asked: Option<String>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "desk/card.html")]
pub struct CardPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Address of the desk pages' style sheet.
    pub style: &'a str,
    /// Why something was not done.
    pub declined: Option<String>,
    /// Whose card was shown last; none before any was.
    pub guest: Option<GuestPart>,
    /// The stopped card that is asked about; none if there is none.
    pub spread: Option<SpreadPart>,
}

impl<'a> CardPage<'a> {
    /// The page.
    #[must_use]
    pub fn new(frame: &'a Frame, desk: &CardDesk, spread: &Spread) -> Self {
        let ui = &frame.ui;
        Self {
            frame,
            style: style(),
            declined: None,
            guest: desk.guest.as_ref().map(|guest| guest_part(guest, ui)),
            spread: desk.stopped.as_ref().map(|card| spread_part(card, spread, ui)),
        }
    }
}

fn guest_part(guest: &GuestCard, ui: &Ui) -> GuestPart {
    let person = &guest.view.person;
    let tail = guest.view.card_tail.as_ref();
    let marks = [
        person.level.as_ref().map(|level| ui.words(level).to_owned()),
        tail.map(|tail| ui.t1("counter-card-tail", "tail", tail)),
    ];
    let class = if guest.status == CardStatus::Active { "ok" } else { "bad" };
    GuestPart {
        n: guest.view.n,
        name: person.name.clone().unwrap_or_else(|| ui.t("counter-person-secret")),
        marks: marks.into_iter().flatten().collect(),
        state: (ui.t(&format!("desk-card-{}", guest.status.code())), class),
        can_report: guest.status == CardStatus::Active,
        replace: match guest.status {
            CardStatus::Lost => Some(ui.t("desk-card-replace-lost")),
            CardStatus::Active => Some(ui.t("desk-card-replace")),
            CardStatus::Stopped | CardStatus::Void => None,
        },
    }
}

fn spread_part(card: &StoppedCard, spread: &Spread, ui: &Ui) -> SpreadPart {
    let name = card.name.clone().unwrap_or_else(|| ui.t("counter-person-secret"));
    let tail = card.tail.as_ref().map(|tail| ui.t1("counter-card-tail", "tail", tail));
    let state = ui.t(&format!("desk-card-{}", card.status.code()));
    let mut part = SpreadPart {
        card: [Some(name), tail, Some(state)].into_iter().flatten().collect::<Vec<_>>().join(" · "),
        here: here(card, ui),
        unknown: None,
        sums: None,
        terminals: Vec::new(),
        more: None,
        asked: None,
    };
    let answer = match spread {
        Spread::Offline => return SpreadPart { unknown: Some(ui.t("desk-spread-offline")), ..part },
        Spread::Practice => return SpreadPart { unknown: Some(ui.t("desk-spread-practice")), ..part },
        Spread::Silent => return SpreadPart { unknown: Some(ui.t("desk-spread-silent")), ..part },
        Spread::Answer(answer) => answer,
    };
    part.asked = Some(ui.t1("desk-spread-asked", "time", ui.second(answer.at)));
    if !card.status.is_blocked() {
        return part;
    }
    if !answer.status.is_some_and(CardStatus::is_blocked) {
        // What the centre says of terminals would be of the card as it was.
        part.unknown = Some(ui.t("desk-spread-not-yet"));
        return part;
    }
    // This terminal's own word is newer than what it last told the centre.
    let own_lacks = answer.terminals.iter().any(|terminal| terminal.own && !terminal.has);
    let corrected = u32::from(own_lacks);
    let (have, lack) = (answer.have + corrected, answer.lack - corrected.min(answer.lack));
    part.sums = Some(ui.t2("desk-spread-sums", ("have", have.to_string()), ("lack", lack.to_string())));
    part.unknown = (lack > 0).then(|| ui.t("desk-spread-lacking"));
    let (stopped, lacking): (Vec<_>, Vec<_>) = answer.terminals.iter().partition(|met| met.has || met.own);
    part.terminals = lacking.into_iter().chain(stopped).map(|terminal| line(terminal, ui)).collect();
    let unnamed =
        (answer.have + answer.lack).saturating_sub(u32::try_from(part.terminals.len()).unwrap_or(0));
    part.more = (unnamed > 0).then(|| ui.t1("desk-spread-more", "n", unnamed));
    part
}

fn here(card: &StoppedCard, ui: &Ui) -> String {
    match (card.here, card.status.is_blocked()) {
        (Some(here), true) => {
            let key = if here.uploaded { "desk-spread-here-sent" } else { "desk-spread-here-waits" };
            ui.t1(key, "time", ui.second(here.at))
        }
        (None, true) => ui.t("desk-spread-here-told"),
        (_, false) => ui.t("desk-spread-here-lifted"),
    }
}

fn line(terminal: &SpreadTerminal, ui: &Ui) -> TerminalLine {
    let office = terminal.office.as_ref().map(|office| ui.words(office).to_owned());
    let own = terminal.own.then(|| ui.t("desk-spread-own"));
    let name = [Some(terminal.name.clone()), office, own];
    let has = terminal.has || terminal.own;
    let state = if has { ("desk-spread-has", "ok") } else { ("desk-spread-lacks", "wait") };
    let heard = terminal.heard.map(|at| ui.t1("desk-spread-heard", "time", ui.minute(at)));
    TerminalLine {
        name: name.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        state: (ui.t(state.0), state.1),
        heard: heard.unwrap_or_else(|| ui.t("desk-spread-never")),
    }
}

/// `GET /card`.
pub(super) async fn show(
    State(counter): State<Arc<Counter>>,
    headers: HeaderMap,
    Query(choice): Query<Choice>,
) -> Response {
    match choose(&choice, "/card") {
        Some(answer) => answer,
        None => page(&counter, &headers, None).await,
    }
}

async fn page(counter: &Counter, headers: &HeaderMap, refused: Option<Refused>) -> Response {
    let snapshot = counter.port.snapshot();
    let frame = counter.frame(headers, &snapshot);
    let (desk, unread) = match counter.port.order(Order::Desk(DeskOrder::ReadCards)).await {
        Ok(Done::Cards(desk)) => (*desk, None),
        Ok(_) => (CardDesk::default(), Some(Refused::Declined(Declined::Unable))),
        Err(declined) => (CardDesk::default(), Some(Refused::from(declined))),
    };
    let spread = match &desk.stopped {
        Some(card) => ask(counter, &snapshot, card.token).await,
        None => Spread::Offline,
    };
    let refused = refused.or(unread);
    let declined = refused.map(|refused| frame.ui.t(refused.key()));
    let page = CardPage { declined, ..CardPage::new(&frame, &desk, &spread) };
    html(refused.map_or(StatusCode::OK, status_of), &page)
}

async fn ask(counter: &Counter, snapshot: &Snapshot, token: Token) -> Spread {
    match (snapshot.view.practice, snapshot.view.link.online) {
        (true, _) => return Spread::Practice,
        (false, false) => return Spread::Offline,
        (false, true) => {}
    }
    let (reply, answer) = oneshot::channel();
    if counter.finds.try_send(Finding::Spread { token, reply }).is_err() {
        return Spread::Silent;
    }
    answer.await.ok().flatten().map_or(Spread::Silent, Spread::Answer)
}

/// `POST /card`.
pub(super) async fn act(
    State(counter): State<Arc<Counter>>,
    headers: HeaderMap,
    Form(input): Form<Input>,
) -> Response {
    let guest = given(&input, "guest").and_then(|n| n.parse().ok());
    let order = match (given(&input, "act"), guest) {
        (Some("report"), Some(n)) => Order::Desk(DeskOrder::ReportLost(n)),
        _ => return page(&counter, &headers, Some(Refused::Request)).await,
    };
    match counter.port.order(order).await {
        Ok(_) => Redirect::to("/card").into_response(),
        Err(declined) => page(&counter, &headers, Some(Refused::from(declined))).await,
    }
}

#[cfg(test)]
mod tests {
    use hufu_shared::scheme::Words;
    use hufu_shared::time::MINUTE_US;

    use super::super::HereAt;
    use super::*;
    use crate::counter::samples::NOW;
    use crate::locale::Language;

    fn ui() -> Ui {
        Ui { language: Language::Zh, zone: chrono_tz::Asia::Shanghai, now: NOW }
    }

    fn stopped(status: CardStatus, uploaded: Option<bool>) -> StoppedCard {
        StoppedCard {
            token: Token { key_version: 1, hash: [7; 16] },
            tail: Some("0042".into()),
            name: Some("欧阳*华".into()),
            status,
            here: uploaded.map(|uploaded| HereAt { at: NOW, uploaded }),
        }
    }

    fn terminal(name: &str, has: bool, own: bool) -> SpreadTerminal {
        let office = Some(Words { zh: "滨江".into(), en: "Riverside".into() });
        let heard = (name != "新机").then(|| NOW.offset(-50 * MINUTE_US));
        SpreadTerminal { name: name.into(), office, has, heard, own }
    }

    fn answer(status: Option<CardStatus>) -> Spread {
        let terminals = vec![terminal("前台", false, true), terminal("新机", false, false)];
        Spread::Answer(SpreadAnswer { at: NOW, status, have: 1, lack: 3, terminals })
    }

    /// What is known, what is said of it, and what must not be said.
    #[test]
    fn rule_h06_the_page_says_what_is_known_of_the_spread_and_never_more() {
        let lost = CardStatus::Lost;
        let cases: [(StoppedCard, Spread, &str, Option<&str>, Option<&str>); 8] = [
            (stopped(lost, Some(false)), Spread::Offline, "等待上传", Some("联网前无法得知"), None),
            (stopped(lost, Some(true)), Spread::Silent, "总部已收到", Some("目前无法得知"), None),
            (stopped(lost, Some(false)), Spread::Practice, "等待上传", Some("不查询总部"), None),
            (stopped(lost, Some(false)), answer(None), "等待上传", Some("尚未得知"), None),
            (
                stopped(lost, Some(false)),
                answer(Some(CardStatus::Active)),
                "等待上传",
                Some("还没有处理"),
                None,
            ),
            // The centre may know it as stopped for good by now: it is refused all the same.
            (
                stopped(lost, None),
                answer(Some(CardStatus::Void)),
                "停用名单",
                Some("仍可能受理"),
                Some("已停用 2 台，尚未得知 2 台"),
            ),
            (
                stopped(lost, Some(true)),
                answer(Some(lost)),
                "总部已收到",
                Some("仍可能受理"),
                Some("已停用 2 台，尚未得知 2 台"),
            ),
            (
                stopped(CardStatus::Active, Some(true)),
                answer(Some(CardStatus::Active)),
                "已解除停用",
                None,
                None,
            ),
        ];
        for (card, spread, here, unknown, sums) in cases {
            let part = spread_part(&card, &spread, &ui());
            assert!(part.here.contains(here), "{spread:?}: {}", part.here);
            let said = part.unknown.as_deref();
            assert_eq!(said.is_some(), unknown.is_some(), "{spread:?}: {said:?}");
            assert!(unknown.is_none_or(|words| said.is_some_and(|said| said.contains(words))), "{said:?}");
            assert_eq!(part.sums.as_deref(), sums, "{spread:?}");
            assert_eq!(part.terminals.is_empty(), sums.is_none(), "no list without knowledge");
        }
    }

    #[test]
    fn rule_h06_each_terminal_stands_with_its_last_contact_and_this_one_knows_itself() {
        let part =
            spread_part(&stopped(CardStatus::Lost, Some(true)), &answer(Some(CardStatus::Lost)), &ui());
        let lines: Vec<_> = part
            .terminals
            .iter()
            .map(|line| (line.name.as_str(), line.state.0.as_str(), line.heard.as_str()))
            .collect();
        assert_eq!(lines[0], ("新机 · 滨江", "尚未得知", "从未联系"));
        assert_eq!((lines[1].0, lines[1].1), ("前台 · 滨江 · 本机", "已停用"));
        assert!(lines[1].2.starts_with("最近联系 "), "{lines:?}");
        assert_eq!(part.more.as_deref(), Some("另有 2 台未列出"));
    }
}
