//! Signing in and out, the first password, language and theme.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::{Hash, OperatorId};
use hufu_shared::time::{Instant, MINUTE_US};

use super::Console;
use super::failure::{Failure, go};
use super::office::{self, OFFICE_COOKIE};
use super::password::{self, PASSWORD_CHARS_ADVISED, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, Weak};
use super::session::{self, SESSION_IDLE_MINUTES, SESSION_WHOLE_MINUTES};
use super::signed::{Newcomer, Posted, read_fields};
use super::ui::{KEYS_COOKIE, LANGUAGE_COOKIE, THEME_COOKIE, Ui};
use super::words::Language;
use crate::db::Tx;
use crate::random;
use crate::store::StoreError;
use crate::store::staff::{self, Staff};

/// Unknown logins that are remembered; more than that are forgotten all at once.
const STRANGERS_MAX: usize = 10_000;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    ui: Ui,
    error: String,
    login: String,
}

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage {
    ui: Ui,
    error: String,
    must_change: bool,
    advice: String,
}

/// The sign-in page.
pub async fn form(State(console): State<Console>, request: Request) -> Result<Response, Failure> {
    let ui = Ui::of(request.headers(), console.app.now());
    Ok(Html(LoginPage { ui, error: String::new(), login: String::new() }.render()?).into_response())
}

/// Signs somebody in, or says when to try again; never which part was wrong.
pub async fn sign_in(State(console): State<Console>, request: Request) -> Result<Response, Failure> {
    let now = console.app.now();
    let ui = Ui::of(request.headers(), now);
    let fields = read_fields(request).await?;
    let login = fields.get("login").to_lowercase();
    // A password may begin or end in a blank.
    let typed: String = fields.raw("password").chars().take(PASSWORD_CHARS_MAX + 1).collect();
    let taken = match take_try(&console, &login, now).await? {
        Try::Waits(until) => return refuse(ui, login, Some(until)),
        Try::Taken(taken) => taken,
    };
    let hashed = taken.staff.as_ref().map(|staff| staff.password.clone());
    let right = console.passwords.check(typed, hashed).await;
    let Some(staff) = taken.staff.filter(|_| right) else {
        tracing::warn!(tries = taken.tries, "a sign-in was refused");
        return refuse(ui, login, taken.until);
    };
    open(&console, &staff, now).await
}

/// What a try at a login meets.
enum Try {
    /// No password is looked at until then.
    Waits(Instant),
    /// It is counted as a wrong one; the right password takes it back.
    Taken(TakenTry),
}

struct TakenTry {
    /// The person, if the login is somebody's.
    staff: Option<Staff>,
    tries: u32,
    /// Until when the next try waits.
    until: Option<Instant>,
}

/// Takes a try before the password is looked at: of many made at once, no more get through than one after another.
async fn take_try(console: &Console, login: &str, now: Instant) -> Result<Try, Failure> {
    let by = login.to_owned();
    // The same statements for known and unknown logins: both take the same time.
    let take = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let taken = staff::take_try(tx, &by, now, |tries| password::locked_until(tries, now))?;
        Ok((taken, staff::by_login(tx, &by)?))
    };
    let found = console.app.db.write(take).await?;
    Ok(match found {
        (Some(staff), _) => {
            let (tries, until) = (staff.failed_tries, staff.locked_until);
            Try::Taken(TakenTry { staff: Some(staff), tries, until })
        }
        (None, Some(locked)) => Try::Waits(locked.locked_until.unwrap_or(now)),
        (None, None) => stranger_try(console, login, now),
    })
}

fn stranger_try(console: &Console, login: &str, now: Instant) -> Try {
    let mut strangers = console.strangers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let key = Hash::of(&[b"hufu-stranger", login.as_bytes()]);
    let (tries, until) = strangers.get(&key).copied().unwrap_or((0, None));
    if let Some(until) = until.filter(|until| *until > now) {
        return Try::Waits(until);
    }
    if strangers.len() >= STRANGERS_MAX {
        strangers.clear();
    }
    let tries = tries + 1;
    let until = password::locked_until(tries, now);
    strangers.insert(key, (tries, until));
    Try::Taken(TakenTry { staff: None, tries, until })
}

/// A second person who signs beside the first, with login and password; answers the key of what is wrong.
pub async fn second(
    console: &Console,
    login: &str,
    typed: &str,
    first: OperatorId,
) -> Result<Result<OperatorId, &'static str>, Failure> {
    let Try::Taken(taken) = take_try(console, login, console.app.now()).await? else {
        return Ok(Err("second-wrong"));
    };
    let hashed = taken.staff.as_ref().map(|staff| staff.password.clone());
    let right = console.passwords.check(typed.to_owned(), hashed).await;
    let Some(staff) = taken.staff.filter(|staff| right && !staff.must_change) else {
        tracing::warn!(tries = taken.tries, "a second signature was refused");
        return Ok(Err("second-wrong"));
    };
    let id = staff.id;
    console.app.db.write(move |tx| staff::set_tries(tx, id, 0, None)).await?;
    Ok(if id == first { Err("second-same") } else { Ok(id) })
}

fn refuse(ui: Ui, login: String, until: Option<Instant>) -> Result<Response, Failure> {
    let error = match until {
        Some(until) => ui.t_with("login-locked", &[("time", &ui.time(until.offset(MINUTE_US - 1)))]),
        None => ui.t("login-wrong"),
    };
    let body = LoginPage { ui, error, login }.render()?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(body)).into_response())
}

async fn open(console: &Console, staff: &Staff, now: Instant) -> Result<Response, Failure> {
    let (token, stored) = session::new_token()?;
    let csrf = random::bytes()?;
    let id = staff.id;
    let write = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
        let idle = now.offset(-SESSION_IDLE_MINUTES * MINUTE_US);
        staff::close_old(tx, idle, now.offset(-SESSION_WHOLE_MINUTES * MINUTE_US))?;
        staff::set_tries(tx, id, 0, None)?;
        staff::open_session(tx, stored, id, csrf, now)?;
        Ok(staff::account(tx, id)?.is_none_or(|account| account.role.is_of_centre()))
    };
    // A dealer's people have no other page than what waits for them.
    let place = match (staff.must_change, console.app.db.write(write).await?) {
        (true, _) => "/password",
        (false, true) => "/",
        (false, false) => "/approvals",
    };
    Ok(with_cookie(go(place), &session::set_cookie(console.secure(), &token)))
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// Signs out.
pub async fn sign_out(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let token = posted.by.token;
    console.app.db.write(move |tx| staff::close_session(tx, token)).await?;
    Ok(with_cookie(go("/login"), &session::clear_cookie(console.secure())))
}

/// The page for a new password.
pub async fn password_form(Newcomer(by): Newcomer) -> Result<Response, Failure> {
    password_page(by.ui, by.session.must_change, String::new(), StatusCode::OK)
}

fn password_page(ui: Ui, must_change: bool, error: String, status: StatusCode) -> Result<Response, Failure> {
    let (least, advised) = (PASSWORD_CHARS_MIN.to_string(), PASSWORD_CHARS_ADVISED.to_string());
    let advice = ui.t_with("password-advice", &[("min", &least), ("advised", &advised)]);
    let body = PasswordPage { ui: ui.at("password"), error, must_change, advice }.render()?;
    Ok((status, Html(body)).into_response())
}

/// Takes a new password; ends every other session of the person.
pub async fn change_password(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let (ui, session) = (posted.by.ui.clone(), posted.by.session.clone());
    let staff_id = session.staff;
    let person = console.app.db.read(move |tx| staff::by_id(tx, staff_id)).await?.ok_or(Failure::SignIn)?;
    let (old, new) = (posted.fields.raw("old").to_owned(), posted.fields.raw("new").to_owned());
    let again = |key: &str| {
        password_page(ui.clone(), session.must_change, ui.t(key), StatusCode::UNPROCESSABLE_ENTITY)
    };
    if new != posted.fields.raw("repeat") {
        return again("password-differs");
    }
    if let Err(weak) = password::accept(&new, &old, &person.login) {
        return again(match weak {
            Weak::Short => "password-short",
            Weak::Long => "password-long",
            Weak::Known => "password-known",
            Weak::Common => "password-common",
        });
    }
    if !console.passwords.check(old, Some(person.password.clone())).await {
        return again("password-old-wrong");
    }
    let hashed = console.passwords.hash(new).await.map_err(|error| Failure::fault(&error))?;
    console.app.db.write(move |tx| staff::set_password(tx, staff_id, &hashed, false)).await?;
    let person = Staff { must_change: false, ..person };
    open(&console, &person, console.app.now()).await
}

/// Keeps language, theme or office, and goes back to where the person was.
pub async fn look(State(console): State<Console>, request: Request) -> Result<Response, Failure> {
    let fields = read_fields(request).await?;
    let back = fields.get("back");
    // Only a path of this host: not `//other`, not a whole address.
    let is_path = back.starts_with('/') && !back.starts_with("//") && !back.contains('\\');
    let place = office::kept(fields.get("office"));
    let back = if place.is_some() { office::without_office(back) } else { back.to_owned() };
    let mut response = go(if is_path { back.as_str() } else { "/" });
    if let Some(place) = place {
        let cookie = session::choice_cookie(console.secure(), OFFICE_COOKIE, &place);
        response = with_cookie(response, &cookie);
    }
    if let Some(language) = Language::from_tag(fields.get("language")) {
        let cookie = session::choice_cookie(console.secure(), LANGUAGE_COOKIE, language.tag());
        response = with_cookie(response, &cookie);
    }
    if let theme @ ("light" | "dark") = fields.get("theme") {
        response = with_cookie(response, &session::choice_cookie(console.secure(), THEME_COOKIE, theme));
    }
    if let keys @ ("on" | "off") = fields.get("keys") {
        response = with_cookie(response, &session::choice_cookie(console.secure(), KEYS_COOKIE, keys));
    }
    Ok(response)
}
