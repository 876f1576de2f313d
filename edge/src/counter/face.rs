//! What an outcome looks and sounds like to staff: colour class, shape, words, next step, tones.
//!
//! Colour, shape and word each say the outcome alone, so that neither a colour-blind reader nor a greyscale screen
//! loses it. The wording of refusals is for staff only; nothing here reaches the member's display.

use hufu_hardware::signal::Sound;
use hufu_shared::fact::RefusalReason;

use super::view::{
    CandidateView, CounterView, ModeView, Outcome, PersonView, Purpose, ReaderView, ResultView, Source, Taken,
};
use super::words::{BALANCE_FRESH_US, Ui};
use super::{batch, value};

/// What can be done for a guest whose card nobody knows.
const FORMS: [(&str, &str); 2] =
    [("/walkin?form=visit", "desk-form-visit"), ("/walkin?form=apply", "desk-form-apply")];

/// The large panel, ready to be put into the page.
#[derive(Debug, Clone, Default)]
pub struct Face {
    /// Names this showing; 0 while it waits.
    pub n: u64,
    /// Class of the style sheet: colours.
    pub class: &'static str,
    /// Name of the shape.
    pub icon: &'static str,
    /// The one thing to be read from two metres away.
    pub headline: String,
    /// Class of the headline's size: long ones are smaller.
    pub size: &'static str,
    /// Next step, or why.
    pub next: Option<String>,
    /// Who, for staff.
    pub name: Option<String>,
    /// The member's level.
    pub level: Option<String>,
    /// Points now promised.
    pub promised: Option<String>,
    /// Points that the member may use.
    pub points: Option<String>,
    /// What it was for, or what the next card is for.
    pub context: String,
    /// Where the next step is taken: address and words.
    pub links: Vec<(&'static str, String)>,
    /// Further lines: who holds what is being recalled.
    pub details: Vec<String>,
    /// Stored value that the member may use.
    pub value: Option<String>,
    /// Small marks: code of a refusal, end of the card's number, offline.
    pub marks: Vec<String>,
    /// When; empty while it waits.
    pub time: String,
    /// Notes as `hz:ms`, joined by commas.
    pub tones: String,
    /// Whether a muted page sounds all the same: a refusal must not pass unheard.
    pub insists: bool,
    /// Whose voice clip may stand for the tones; empty for none.
    pub voice: &'static str,
}

/// Colour class, shape, key and sound of an outcome.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Class of the style sheet.
    pub class: &'static str,
    /// Name of the shape.
    pub icon: &'static str,
    /// The outcome's name in keys.
    pub key: &'static str,
    /// What it sounds like.
    pub sound: Sound,
    /// Whether muting leaves it audible.
    pub insists: bool,
    /// Whether somebody must look after the guest.
    pub needs_staff: bool,
}

/// The look of an outcome.
#[must_use]
pub fn look(outcome: Outcome) -> Look {
    let plain =
        |class, icon, key, sound| Look { class, icon, key, sound, insists: false, needs_staff: false };
    let staff =
        |class, icon, key, sound, insists| Look { class, icon, key, sound, insists, needs_staff: true };
    match outcome {
        Outcome::Accepted => plain("accepted", "check", "accepted", Sound::RISING),
        Outcome::Recorded => plain("recorded", "clock", "recorded", Sound::MIDDLE),
        Outcome::Refused(_) => staff("refused", "cross", "refused", Sound::LOW_TWICE, true),
        Outcome::Attention => staff("attention", "warning", "attention", Sound::SHORT_THRICE, false),
        Outcome::AlreadyIn => plain("already", "double", "already_in", Sound::HIGH),
        Outcome::Redeemed => plain("accepted", "gift", "redeemed", Sound::RISING),
        Outcome::OverOfflineLimit => staff("refused", "cross", "over_offline_limit", Sound::LOW_TWICE, true),
        Outcome::UnknownCard => staff("attention", "question", "unknown_card", Sound::SHORT_THRICE, false),
        Outcome::ReadFailed => plain("attention", "wave", "read_failed", Sound::SHORT),
        Outcome::KeepStill => plain("attention", "wave", "keep_still", Sound::NONE),
        Outcome::NotReady => plain("grey", "plug", "not_ready", Sound::NONE),
        // One short high note: it was read, and that is all.
        Outcome::Listed => plain("listed", "card", "listed", Sound::HIGH),
        Outcome::ListedAlready => plain("listed", "double", "listed_already", Sound::SHORT),
        Outcome::ListFull => plain("attention", "warning", "list_full", Sound::SHORT_THRICE),
    }
}

/// The panel of a snapshot: a candidate first, then the newest outcome, else what the page waits for.
#[must_use]
pub fn face(view: &CounterView, ui: &Ui) -> Face {
    if let Some(candidate) = &view.candidate {
        return of_candidate(candidate, ui.words(&view.place_word), ui);
    }
    if let Some(asking) = &view.asking {
        return value::asking(asking, ui);
    }
    let nothing_works = view.readers.iter().all(|reader| !reader.up);
    match &view.result {
        Some(result) => of_result(result, view, ui),
        None if nothing_works => not_ready(ui),
        None => idle(view, ui),
    }
}

fn of_result(result: &ResultView, view: &CounterView, ui: &Ui) -> Face {
    let look = look(result.outcome);
    let place = ui.words(&view.place_word);
    let (headline, next) = match result.outcome {
        Outcome::Refused(_) if result.not_undone.is_some() => value::not_undone(result.not_undone, ui),
        Outcome::Refused(reason) => refusal(reason, Some(result), place, ui),
        _ => said(result, look, place, ui),
    };
    let mut face = Face {
        n: result.n,
        class: look.class,
        icon: look.icon,
        next,
        context: purpose(&result.purpose, ui),
        time: ui.second(result.at),
        tones: tones(look.sound),
        insists: look.insists,
        voice: look.key,
        ..Face::default()
    };
    face.set_headline(headline);
    if result.outcome == Outcome::UnknownCard {
        face.links = FORMS.map(|(address, key)| (address, ui.t(key))).into();
    }
    if is_of_lost_card(result) {
        face.links.push(("/card", ui.t("desk-nav-card")));
    }
    // While the reader is at work there is nobody to name yet.
    if let Some(person) = &result.person {
        face.set_person(person, ui);
    }
    // Only a promise that stands is shown in figures; a redemption says its own.
    if !matches!(result.outcome, Outcome::Refused(_) | Outcome::Redeemed | Outcome::OverOfflineLimit) {
        face.promised = result.promised.filter(|points| points.is_positive()).map(|points| {
            let key = if result.promised_pending { "counter-promised-pending" } else { "counter-promised" };
            ui.t1(key, "n", ui.points(points))
        });
    }
    if let (Outcome::Refused(reason), None) = (result.outcome, result.not_undone) {
        face.marks.push(format!("{reason:?}"));
        // A balance beside a refusal only helps where points are what is missing.
        face.points = face.points.filter(|_| reason == RefusalReason::R05);
        face.value = face.value.filter(|_| reason == RefusalReason::R05);
    }
    if result.outcome == Outcome::OverOfflineLimit {
        face.marks.push(format!("{:?}", RefusalReason::R12));
    }
    if result.outcome == Outcome::Redeemed {
        // What is left stands beside what was spent; the figure from before would contradict it.
        (face.points, face.value) = (None, None);
    }
    face.details.extend(result.owes.map(|owes| ui.t1("counter-outcome-owes", "n", value::leg(owes, ui))));
    face.marks.extend(result.card_tail.as_ref().map(|tail| ui.t1("counter-card-tail", "tail", tail)));
    if result.source == Source::Typed {
        face.marks.push(ui.t("counter-typed-mark"));
    }
    if result.offline {
        face.marks.push(ui.t("counter-offline-mark"));
    }
    face
}

/// Whether the next thing to do is on the page of lost cards.
fn is_of_lost_card(result: &ResultView) -> bool {
    match result.outcome {
        Outcome::Accepted => matches!(result.purpose, Purpose::ReportLost | Purpose::Replace),
        Outcome::Refused(reason) => reason == RefusalReason::R07,
        _ => false,
    }
}

/// Headline and next step of every outcome but a refusal.
fn said(result: &ResultView, look: Look, place: &str, ui: &Ui) -> (String, Option<String>) {
    if let Some(said) = batch::said(result, look.key, ui) {
        return said;
    }
    let base = format!("counter-outcome-{}", look.key);
    let purpose = purpose_key(&result.purpose);
    match result.outcome {
        Outcome::Accepted => {
            let moved = value::moved(result.outcome, &result.purpose, &result.moved, ui);
            let says_next = matches!(result.purpose, Purpose::ReportLost | Purpose::Replace);
            let hint = says_next.then(|| ui.t(&format!("{base}-{purpose}-next")));
            (ui.t(&format!("{base}-{purpose}")), moved.or(hint))
        }
        Outcome::AlreadyIn => {
            let first = result.first_at.map(|at| ui.t1(&format!("{base}-at"), "time", ui.time(at)));
            let earn = matches!(result.purpose, Purpose::Earn { .. });
            let next = if earn { Some(ui.t(&format!("{base}-earn-next"))) } else { first };
            (ui.t(&format!("{base}-{purpose}")), next)
        }
        Outcome::Attention => {
            let next = result.first_at.map(|at| match &result.first_office {
                Some(office) => ui.t2(
                    &format!("{base}-next"),
                    ("age", ui.age(at)),
                    ("place", if office.is_empty() { place.to_owned() } else { office.clone() }),
                ),
                None => ui.t1(&format!("{base}-next-here"), "age", ui.age(at)),
            });
            (ui.t(&base), next)
        }
        Outcome::Redeemed => value::redeemed(result, ui),
        Outcome::OverOfflineLimit => {
            let next = result.short.as_ref().map(|short| value::short(short, place, ui));
            (ui.t(&base), Some(next.unwrap_or_else(|| ui.t(&format!("{base}-next")))))
        }
        Outcome::UnknownCard if matches!(result.purpose, Purpose::Earn { .. }) => {
            (ui.t(&base), Some(ui.t(&format!("{base}-next-earn"))))
        }
        Outcome::ReadFailed => (ui.t(&format!("{base}-{}", source_key(result.source))), None),
        Outcome::KeepStill => (ui.t(&base), None),
        _ => (ui.t(&base), Some(ui.t(&format!("{base}-next")))),
    }
}

/// Headline and next step of a refusal.
fn refusal(
    reason: RefusalReason,
    result: Option<&ResultView>,
    place: &str,
    ui: &Ui,
) -> (String, Option<String>) {
    // To somebody who has had the gift, "already submitted" would say nothing.
    let handed = matches!(result.map(|result| &result.purpose), Some(Purpose::HandOut { .. }));
    let base = match reason {
        RefusalReason::R06 if handed => "counter-reason-r06-handed".to_owned(),
        _ => format!("counter-reason-{}", reason_key(reason)),
    };
    let headline = match reason {
        RefusalReason::R04 => ui.t1(&base, "place", place),
        _ => ui.t(&base),
    };
    let valid_from = result.and_then(|result| result.valid_from);
    let short = result.and_then(|result| result.short.as_ref());
    let first_at = result.and_then(|result| result.first_at);
    let next = match (reason, valid_from, short, first_at) {
        (RefusalReason::R03, Some(from), _, _) => ui.t1(&format!("{base}-next-from"), "day", ui.day(from)),
        (RefusalReason::R05 | RefusalReason::R12 | RefusalReason::R15, _, Some(short), _) => {
            value::short(short, place, ui)
        }
        (RefusalReason::R06, _, _, Some(at)) => ui.t1(&format!("{base}-next-at"), "time", ui.time(at)),
        _ => ui.t(&format!("{base}-next")),
    };
    (headline, Some(next))
}

/// Words and next step of a reason, without what only one swipe knows.
#[must_use]
pub fn refusal_texts(reason: RefusalReason, place: &str, ui: &Ui) -> (String, String) {
    let (why, next) = refusal(reason, None, place, ui);
    (why, next.unwrap_or_default())
}

fn of_candidate(candidate: &CandidateView, place: &str, ui: &Ui) -> Face {
    let mut face = Face { class: "attention", icon: "warning", ..Face::default() };
    face.marks.push(ui.t1("counter-card-tail", "tail", &candidate.card_tail));
    if candidate.refused == Some(RefusalReason::R07) {
        face.links.push(("/card", ui.t("desk-nav-card")));
    }
    let Some(person) = &candidate.person else {
        if candidate.purpose == Purpose::Replace && candidate.refused.is_none() {
            face.set_headline(ui.t("counter-candidate-new"));
            face.next = Some(ui.t("counter-candidate-new-next"));
            return face;
        }
        face.icon = "question";
        face.set_headline(ui.t("counter-candidate-unknown"));
        face.next = Some(ui.t("counter-candidate-unknown-next"));
        return face;
    };
    face.set_headline(ui.t("counter-candidate-heading"));
    face.set_person(person, ui);
    match candidate.refused {
        Some(reason) => {
            let (why, next) = refusal(reason, None, place, ui);
            face.marks.push(format!("{reason:?} {why}"));
            face.next = next;
        }
        None => {
            let what = purpose(&candidate.purpose, ui);
            face.next = Some(ui.t1("counter-candidate-action", "what", what));
        }
    }
    face
}

fn not_ready(ui: &Ui) -> Face {
    let look = look(Outcome::NotReady);
    let mut face = Face { class: look.class, icon: look.icon, ..Face::default() };
    face.set_headline(ui.t("counter-outcome-not_ready"));
    face.next = Some(ui.t("counter-outcome-not_ready-next"));
    face
}

fn idle(view: &CounterView, ui: &Ui) -> Face {
    let mut face = Face { class: "idle", icon: "card", ..Face::default() };
    face.set_headline(ui.t(idle_key(&view.readers)));
    face.context = ui.t1("counter-next", "what", mode(&view.mode, ui));
    face
}

/// Names only the sources that are attached.
fn idle_key(readers: &[ReaderView]) -> &'static str {
    let code = readers.iter().any(|reader| reader.source == Source::Code);
    let card = readers.iter().any(|reader| matches!(reader.source, Source::Tap | Source::Stripe));
    match (card, code) {
        (true, false) => "counter-idle-card",
        (false, true) => "counter-idle-code",
        _ => "counter-idle",
    }
}

/// A text cut after full-width punctuation: Chinese has no spaces, and a line that breaks between these parts never
/// tears a word.
#[must_use]
pub fn phrases(text: &str) -> Vec<&str> {
    text.split_inclusive(['，', '；', '：', '。']).collect()
}

impl Face {
    /// The headline's parts.
    #[must_use]
    pub fn headline_phrases(&self) -> Vec<&str> {
        phrases(&self.headline)
    }

    /// The next step's parts.
    #[must_use]
    pub fn next_phrases(&self) -> Vec<&str> {
        phrases(self.next.as_deref().unwrap_or_default())
    }

    pub(super) fn set_headline(&mut self, headline: String) {
        // Tenths of half a Han character's width; bold Latin letters are a little wider than half.
        let width: usize = headline.chars().map(|c| if c.is_ascii() { 13 } else { 20 }).sum();
        self.size = match width {
            0..=100 => "xl",
            101..=130 => "l",
            131..=160 => "m",
            _ => "s",
        };
        self.headline = headline;
    }

    pub(super) fn set_person(&mut self, person: &PersonView, ui: &Ui) {
        self.name = Some(person.name.clone().unwrap_or_else(|| ui.t("counter-person-secret")));
        self.level = person.level.as_ref().map(|level| ui.words(level).to_owned());
        self.value = person.value.map(|value| ui.t1("counter-value", "n", ui.yuan(value)));
        let n = ui.points(person.points);
        self.points = Some(if ui.now.since(person.points_at) > BALANCE_FRESH_US {
            ui.t2("counter-points-aged", ("n", n), ("age", ui.age(person.points_at)))
        } else {
            ui.t1("counter-points", "n", n)
        });
    }
}

/// What a swipe was for, in words.
#[must_use]
pub fn purpose(purpose: &Purpose, ui: &Ui) -> String {
    match purpose {
        Purpose::Visit => ui.t("counter-mode-visit"),
        Purpose::LookUp => ui.t("counter-mode-look_up"),
        Purpose::CheckIn { name } => ui.t1("counter-mode-check_in", "name", ui.words(name)),
        Purpose::CheckInParty { name, companions } => {
            let (name, n) = (ui.words(name).to_owned(), companions.to_string());
            ui.t2("counter-mode-check_in_party", ("name", name), ("n", n))
        }
        Purpose::CheckOut { name } => ui.t1("counter-mode-check_out", "name", ui.words(name)),
        Purpose::Earn { purchase } => ui.t1("counter-mode-earn", "amount", ui.yuan(*purchase)),
        Purpose::Spend { legs } => ui.t1("counter-mode-spend", "what", value::legs(legs, ui)),
        Purpose::TopUp { amount } => ui.t1("counter-mode-top_up", "amount", ui.yuan(*amount)),
        Purpose::CashOut { amount } => ui.t1("counter-mode-cash_out", "amount", ui.yuan(*amount)),
        Purpose::HandOut { name, quantity } => {
            ui.t2("counter-mode-hand_out", ("name", ui.words(name).to_owned()), ("n", quantity.to_string()))
        }
        Purpose::ReportLost => ui.t("counter-mode-report_lost"),
        Purpose::Replace => ui.t("counter-mode-replace"),
        Purpose::TakeBack { of: Taken::Earned } => ui.t("counter-mode-take_back-earned"),
        Purpose::TakeBack { of: Taken::Spent } => ui.t("counter-mode-take_back-spent"),
        Purpose::TakeBack { of: Taken::ToppedUp } => ui.t("counter-mode-take_back-topped_up"),
    }
}

/// What the next card is for, in words.
#[must_use]
pub fn mode(mode: &ModeView, ui: &Ui) -> String {
    let same = match mode {
        ModeView::Visit => Purpose::Visit,
        ModeView::LookUp => Purpose::LookUp,
        ModeView::CheckIn { name, .. } => Purpose::CheckIn { name: name.clone() },
        ModeView::CheckOut { name, .. } => Purpose::CheckOut { name: name.clone() },
        ModeView::Earn { purchase } => Purpose::Earn { purchase: *purchase },
        ModeView::HandOut { name, quantity, .. } => {
            Purpose::HandOut { name: name.clone(), quantity: *quantity }
        }
        ModeView::Once { purpose } => purpose.clone(),
    };
    purpose(&same, ui)
}

fn purpose_key(purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::Visit => "visit",
        Purpose::LookUp => "look_up",
        Purpose::CheckIn { .. } | Purpose::CheckInParty { .. } => "check_in",
        Purpose::CheckOut { .. } => "check_out",
        Purpose::Earn { .. } => "earn",
        Purpose::Spend { .. } => "spend",
        Purpose::TopUp { .. } => "top_up",
        Purpose::CashOut { .. } => "cash_out",
        Purpose::HandOut { .. } => "hand_out",
        Purpose::ReportLost => "report_lost",
        Purpose::Replace => "replace",
        Purpose::TakeBack { .. } => "take_back",
    }
}

fn source_key(source: Source) -> &'static str {
    match source {
        Source::Tap => "tap",
        Source::Stripe => "stripe",
        Source::Code => "code",
        Source::Typed => "typed",
    }
}

fn reason_key(reason: RefusalReason) -> String {
    format!("{reason:?}").to_ascii_lowercase()
}

/// Notes as the page's script reads them.
pub(super) fn tones(sound: Sound) -> String {
    let notes: Vec<String> = sound.notes.iter().map(|note| format!("{}:{}", note.hz, note.ms)).collect();
    notes.join(",")
}
