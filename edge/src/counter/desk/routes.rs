//! Addresses of the desk pages. A handler reads what was sent, seals what is personal, hands one order to the run loop
//! and answers with a page; what was typed comes back only to the browser that sent it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use data_encoding::HEXLOWER;
use hufu_shared::form::{CONSENT_CONTACT, SALT_BYTES};
use hufu_shared::time::{Day, OfficeClock};

use super::super::forms::Refused;
use super::super::pages::Frame;
use super::super::port::{Declined, Order, Snapshot};
use super::super::routes::{Choice, Counter, choose, html};
use super::super::words::Ui;
use super::forms::{Input, Wrong, given};
use super::shift::{Just, ShiftPage};
use super::today::TodayPage;
use super::walkin::{FormPart, Guest, Kind, TakenPage, WalkinPage, Written};
use super::{DeskOrder, Done, ONCE_BYTES, Taken, Taking, bill, card, lookup, pin, shift, walkin};
use crate::random;

type Shared = State<Arc<Counter>>;

/// All addresses of the desk pages.
pub fn routes() -> Router<Arc<Counter>> {
    Router::new()
        .route("/walkin", get(walkin).post(take))
        .route("/shift", get(shift).post(count))
        .route("/today", get(today))
        .route("/pin", get(pin::show).post(pin::act))
        .route("/lookup", get(lookup::show).post(lookup::find))
        .route("/lookup/pick", post(lookup::pick))
        .route("/card", get(card::show).post(card::act))
        .route("/bill", get(bill::show).post(bill::reckoned))
}

pub(in super::super) fn style() -> &'static str {
    &super::super::assets::addresses().desk
}

async fn walkin(State(counter): Shared, headers: HeaderMap, Query(which): Query<Input>) -> Response {
    if let Some(answer) = choose(&Choice::of(&which), "/walkin") {
        return answer;
    }
    let snapshot = counter.port.snapshot();
    let frame = counter.frame(&headers, &snapshot);
    let kind = given(&which, "form").and_then(Kind::from_code).unwrap_or(Kind::Visit);
    let (input, wrong) = (Input::new(), Wrong::new());
    let form = FormPart::new(kind, new_once(), &input, &wrong, &frame.ui);
    html(StatusCode::OK, &page(&frame, &snapshot, kind, form))
}

fn new_once() -> String {
    HEXLOWER.encode(&random::bytes::<ONCE_BYTES>())
}

fn page<'a>(frame: &'a Frame, snapshot: &Snapshot, kind: Kind, form: FormPart) -> WalkinPage<'a> {
    let ui = &frame.ui;
    let tab = |each: Kind| walkin::Tab {
        code: each.code(),
        title: ui.t(&format!("desk-form-{}", each.code())),
        current: each == kind,
    };
    let guest = snapshot.view.guest.as_ref().filter(|_| matches!(kind, Kind::Change | Kind::Complaint));
    let guest = guest.map(|guest| Guest { n: guest.n, text: guest_text(guest, ui) });
    WalkinPage {
        frame,
        style: style(),
        tabs: Kind::ALL.map(tab).into(),
        wrong: None,
        declined: None,
        offline: (!snapshot.view.link.online).then(|| ui.t("desk-offline")),
        needs_guest: kind == Kind::Change && guest.is_none(),
        guest,
        form,
    }
}

fn guest_text(guest: &super::super::view::GuestView, ui: &Ui) -> String {
    let name = guest.person.name.clone().unwrap_or_else(|| ui.t("counter-person-secret"));
    let tail = guest.card_tail.as_ref().map(|tail| ui.t1("counter-card-tail", "tail", tail));
    [Some(name), tail].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

async fn take(State(counter): Shared, headers: HeaderMap, Form(input): Form<Input>) -> Response {
    let snapshot = counter.port.snapshot();
    let frame = counter.frame(&headers, &snapshot);
    let kind = given(&input, "form").and_then(Kind::from_code).unwrap_or(Kind::Visit);
    let today = today_of(&frame.ui);
    let (wrong, declined) = match walkin::read(kind, &input, today) {
        Ok(written) => match hand_over(&counter, &input, &written, kind).await {
            Ok(taken) => {
                let page = taken_page(&frame, &snapshot, (kind, &input), &taken);
                return html(StatusCode::OK, &page);
            }
            Err(refused) => (Wrong::new(), Some(refused)),
        },
        Err(wrong) => (wrong, None),
    };
    let once = given(&input, "once").map_or_else(new_once, str::to_owned);
    let form = FormPart::new(kind, once, &input, &wrong, &frame.ui);
    let mut page = page(&frame, &snapshot, kind, form);
    page.wrong = (!wrong.is_empty()).then(|| frame.ui.t1("desk-wrong-heading", "n", wrong.len().to_string()));
    page.declined = declined.map(|refused| frame.ui.t(refused.key()));
    let status = declined.map_or(StatusCode::UNPROCESSABLE_ENTITY, status_of);
    html(status, &page)
}

pub(super) fn status_of(refused: Refused) -> StatusCode {
    match refused {
        Refused::Declined(Declined::Busy) => StatusCode::SERVICE_UNAVAILABLE,
        Refused::Declined(_) => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// Seals a form and hands it to the run loop.
async fn hand_over(
    counter: &Counter,
    input: &Input,
    written: &Written,
    kind: Kind,
) -> Result<Taken, Refused> {
    let once = given(input, "once").and_then(|text| HEXLOWER.decode(text.as_bytes()).ok());
    let once = once.and_then(|bytes| bytes.try_into().ok()).ok_or(Refused::Request)?;
    // A sealing key that is none came with the enrolment; without it nothing can be taken.
    let sealed = written.content.seal(&counter.seal_key, random::bytes::<SALT_BYTES>());
    let form = sealed.map_err(|_| Refused::Declined(Declined::Unable))?;
    let guest = given(input, "guest").map(|n| n.parse().map_err(|_| Refused::Request)).transpose()?;
    let consent = kind.asks_consent().then(|| CONSENT_CONTACT.to_owned());
    let taking = Taking { once, what: written.what.clone(), form, consent, guest };
    match counter.port.order(Order::Desk(DeskOrder::TakeForm(taking))).await {
        Ok(Done::Form(taken)) => Ok(taken),
        Ok(_) => Err(Refused::Declined(Declined::Unable)),
        Err(declined) => Err(Refused::Declined(declined)),
    }
}

fn taken_page<'a>(
    frame: &'a Frame,
    snapshot: &Snapshot,
    (kind, input): (Kind, &Input),
    taken: &Taken,
) -> TakenPage<'a> {
    let ui = &frame.ui;
    let line = |key: &str, text: String| (ui.t(key), text);
    let receipt = taken.receipt.clone().map(|number| line("desk-taken-receipt", number));
    let promised = taken.promised.map(|at| line("desk-taken-promised", ui.minute(at)));
    let online = snapshot.view.link.online;
    let next = (kind == Kind::Visit).then(|| {
        let mut next: Input = ["mobile", "remark"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), given(input, name)?.to_owned())))
            .collect();
        next.extend(given(input, "title").map(|title| ("name".to_owned(), title.to_owned())));
        FormPart::new(Kind::Apply, new_once(), &next, &Wrong::new(), ui)
    });
    TakenPage {
        frame,
        style: style(),
        title: ui.t(&format!("desk-taken-{}", kind.code())),
        said: ui.t(if online { "desk-taken-online" } else { "desk-taken-offline" }),
        lines: receipt.into_iter().chain(promised).collect(),
        print: taken.receipt.as_ref().and(snapshot.view.printer.as_ref()).map(|_| taken.seq.to_string()),
        next,
    }
}

fn today_of(ui: &Ui) -> Day {
    let clock = OfficeClock { zone: ui.zone.name().to_owned(), ..OfficeClock::default() };
    clock.business_day(ui.now)
}

async fn ask_shift(counter: &Counter, order: DeskOrder) -> Result<super::ShiftView, Declined> {
    match counter.port.order(Order::Desk(order)).await? {
        Done::Shift(view) => Ok(*view),
        _ => Err(Declined::Unable),
    }
}

async fn shift(State(counter): Shared, headers: HeaderMap, Query(choice): Query<Choice>) -> Response {
    match choose(&choice, "/shift") {
        Some(answer) => answer,
        None => show_shift(&counter, &headers, StatusCode::OK, Just::default()).await,
    }
}

async fn show_shift(counter: &Counter, headers: &HeaderMap, status: StatusCode, mut just: Just) -> Response {
    let snapshot = counter.port.snapshot();
    let frame = counter.frame(headers, &snapshot);
    let view = ask_shift(counter, DeskOrder::ReadShift).await.unwrap_or_else(|declined| {
        just.declined.get_or_insert(frame.ui.t(Refused::from(declined).key()));
        super::ShiftView::default()
    });
    html(status, &ShiftPage::new(&frame, style(), &view, &just))
}

async fn count(State(counter): Shared, headers: HeaderMap, Form(input): Form<Input>) -> Response {
    let ui = counter.frame(&headers, &counter.port.snapshot()).ui;
    let counted = match shift::read(&input) {
        Ok(counted) => counted,
        Err(wrong) => {
            let just = Just { wrong, input, ..Just::default() };
            return show_shift(&counter, &headers, StatusCode::UNPROCESSABLE_ENTITY, just).await;
        }
    };
    let (order, done) = match given(&input, "act") {
        Some("open") => (DeskOrder::OpenShift(counted), "desk-shift-opened"),
        _ => (DeskOrder::CloseShift(counted), "desk-shift-closed"),
    };
    match ask_shift(&counter, order).await {
        Ok(_) => {
            let just = Just { done: Some(done), ..Just::default() };
            show_shift(&counter, &headers, StatusCode::OK, just).await
        }
        Err(declined) => {
            let refused = Refused::from(declined);
            let just = Just { declined: Some(ui.t(refused.key())), input, ..Just::default() };
            show_shift(&counter, &headers, status_of(refused), just).await
        }
    }
}

async fn today(State(counter): Shared, headers: HeaderMap, Query(choice): Query<Choice>) -> Response {
    if let Some(answer) = choose(&choice, "/today") {
        return answer;
    }
    let snapshot = counter.port.snapshot();
    let frame = counter.frame(&headers, &snapshot);
    let shift = ask_shift(&counter, DeskOrder::ReadShift).await.unwrap_or_default();
    let of = snapshot.view.activities.iter().map(|activity| activity.occurrence).collect();
    let expected = match counter.port.order(Order::Desk(DeskOrder::ReadExpected(of))).await {
        Ok(Done::Expected(expected)) => expected,
        _ => Vec::new(),
    };
    html(StatusCode::OK, &TodayPage::new(&frame, style(), &snapshot.view, (&shift, &expected)))
}
