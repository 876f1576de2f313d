//! Who asks: the session behind a request, and forms that belong to it.

use std::collections::HashMap;

use axum::extract::{Form, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use chrono_tz::Tz;
use hufu_shared::act::Actor;
use hufu_shared::ids::{Hash, OperatorId};
use hufu_shared::time::MINUTE_US;

use super::Console;
use super::failure::Failure;
use super::office;
use super::session::{self, cookie, cookie_name};
use super::ui::Ui;
use crate::db::Tx;
use crate::rules::joining::roles::Role;
use crate::store::staff::{self, Session};
use crate::store::{StoreError, approvals, cases, journal, people, world};

/// Header that carries the session's token with what is no form.
pub const TOKEN_HEADER: &str = "x-hufu-token";
/// A session is written at most this often.
const TOUCH_EVERY_US: i64 = MINUTE_US;

/// Somebody who is signed in.
pub struct SignedIn {
    /// What pages are drawn with.
    pub ui: Ui,
    /// The session.
    pub session: Session,
    /// What the session is stored under.
    pub token: Hash,
    /// In whose place they decide; none in their own right. Nothing that a browser sends sets it.
    pub(super) in_place_of: Option<OperatorId>,
}

impl SignedIn {
    /// The person as the journal names them, with the one in whose place they decide.
    pub fn actor(&self) -> Actor {
        let staff = self.session.staff;
        self.in_place_of.map_or(Actor::Admin(staff), |person| Actor::StandIn(staff, person))
    }

    /// The same, if the person is one of the centre's own: all but a few routes are theirs alone.
    fn of_centre(self) -> Result<Self, Failure> {
        if self.session.account.role.is_of_centre() { Ok(self) } else { Err(Failure::Role) }
    }
}

/// As [`SignedIn`], also while the password must still be changed.
pub struct Newcomer(pub SignedIn);

impl FromRequestParts<Console> for Newcomer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Failure> {
        let name = cookie_name(console.secure());
        let token = session::stored(cookie(&parts.headers, name).ok_or(Failure::SignIn)?);
        let (now, tally) = (console.app.now(), console.tally.clone());
        let load = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
            let Some(session) = staff::session(tx, token)? else { return Ok(None) };
            let approvals = approvals::count(tx, &session.account, (&tally, now))?;
            let waiting: u64 = cases::open_counts(tx)?.iter().map(|kind| kind.count).sum();
            let recovering = world::recovery(tx)?.since.is_some();
            Ok(Some((
                session,
                (waiting, approvals, recovering),
                journal::club(tx)?.name,
                people::offices(tx)?,
            )))
        };
        let (session, (open_cases, approvals, recovering), club, offices) =
            console.app.db.read(load).await?.ok_or(Failure::SignIn)?;
        if !session::holds(&session, now) {
            console.app.db.write(move |tx| staff::close_session(tx, token)).await?;
            return Err(Failure::SignIn);
        }
        if now.since(session.last_used) > TOUCH_EVERY_US {
            console.app.db.write(move |tx| staff::touch(tx, token, now)).await?;
        }
        let zone: Option<Tz> = offices.first().and_then(|office| office.clock.tz().ok());
        let mut ui = Ui::of(&parts.headers, now);
        ui.person.clone_from(&session.name);
        ui.csrf = session::form_token(&session);
        (ui.open_cases, ui.approvals) = (open_cases, approvals);
        ui.of_centre = session.account.role.is_of_centre();
        ui.live = session.account.role.is_of_centre() && !session.must_change;
        ui.recovering = recovering;
        ui.club = club;
        ui.zone = zone.unwrap_or(ui.zone);
        office::narrow(&mut ui, &parts.headers, &session.account, &offices);
        ui.path = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
        Ok(Self(SignedIn { ui, session, token, in_place_of: None }))
    }
}

impl FromRequestParts<Console> for SignedIn {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Failure> {
        let AnyRole(signed) = AnyRole::from_request_parts(parts, console).await?;
        signed.of_centre()
    }
}

/// As [`SignedIn`], also for a dealer's people: the route itself looks at the role.
pub struct AnyRole(pub SignedIn);

impl FromRequestParts<Console> for AnyRole {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Failure> {
        let Newcomer(signed) = Newcomer::from_request_parts(parts, console).await?;
        if signed.session.must_change { Err(Failure::MustChange) } else { Ok(Self(signed)) }
    }
}

/// Fields of a form.
#[derive(Debug, Clone, Default)]
pub struct Fields(HashMap<String, String>);

impl Fields {
    /// Of what was read elsewhere.
    pub fn of(all: HashMap<String, String>) -> Self {
        Self(all)
    }

    /// Writes a field.
    pub fn set(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    /// All that was sent, by name, as it was typed.
    pub fn into_inner(self) -> HashMap<String, String> {
        self.0
    }

    /// A field without outer blanks; empty if it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.trim())
    }

    /// All that was sent, by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.trim()))
    }

    /// A field as it was typed.
    pub fn raw(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// A form of somebody who is signed in, with the session's own token.
pub struct Posted {
    /// Who.
    pub by: SignedIn,
    /// What.
    pub fields: Fields,
}

impl FromRequest<Console> for Posted {
    type Rejection = Failure;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let Newcomer(by) = Newcomer::from_request_parts(&mut parts, console).await?;
        // The API's gate has read it already.
        let sent = parts.extensions.remove::<Fields>();
        let fields = match sent {
            Some(fields) => fields,
            None => read_fields(Request::from_parts(parts, body)).await?,
        };
        if !session::is_form_of(&by.session, fields.get("csrf")) {
            tracing::warn!("refused a form without the token of its session");
            return Err(Failure::Form);
        }
        Ok(Self { by, fields })
    }
}

impl Posted {
    /// The same of one of the centre's own people, once the password is their own.
    pub fn settled(self) -> Result<Self, Failure> {
        let Self { by, fields } = self.settled_any()?;
        Ok(Self { by: by.of_centre()?, fields })
    }

    /// As [`Posted::settled`], also of a dealer's people: the route itself looks at the role.
    pub fn settled_any(self) -> Result<Self, Failure> {
        if self.by.session.must_change { Err(Failure::MustChange) } else { Ok(self) }
    }

    /// As [`Posted::settled`], of people with one of these roles.
    pub fn settled_as(self, roles: &[Role]) -> Result<Self, Failure> {
        let settled = self.settled_any()?;
        if roles.contains(&settled.by.session.account.role) { Ok(settled) } else { Err(Failure::Role) }
    }
}

/// Fields of a form of anybody.
pub async fn read_fields(request: Request) -> Result<Fields, Failure> {
    let Form(fields) =
        Form::<HashMap<String, String>>::from_request(request, &()).await.map_err(|_| Failure::Form)?;
    Ok(Fields(fields))
}
