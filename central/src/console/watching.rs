//! The alarm of silence: which terminals are silent for longer than their office allows while it is open, and setting
//! what an office allows.
//!
//! The alarm is judged whenever a page is drawn, from when the terminal was last heard of; nothing has to run for it.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono_tz::Tz;
use hufu_shared::ids::OfficeId;
use hufu_shared::member::OfficeRow;
use hufu_shared::time::Instant;

use super::Console;
use super::devices;
use super::failure::{Failure, go};
use super::signed::Posted;
use super::ui::Ui;
use crate::db::Tx;
use crate::rules::joining::roles::Role;
use crate::rules::silence::{Unfit, Watch};
use crate::rules::world::DeviceStatus;
use crate::store::devices::DeviceLine;
use crate::store::watch::{self, OfficeWatch};
use crate::store::{StoreError, people};

/// Who sets what an office allows.
pub(super) const MAY_SET: [Role; 1] = [Role::Admin];

/// What offices allow, and their zones.
pub(super) struct Watching {
    offices: Vec<OfficeRow>,
    set: BTreeMap<OfficeId, OfficeWatch>,
}

/// A form that was refused: what was typed for which office, and why.
pub struct Refused {
    office: OfficeId,
    silent: String,
    opens: String,
    closes: String,
    /// What is wrong, in words.
    pub(super) error: String,
}

/// What an office allows, as its form shows it.
pub(super) struct WatchShown {
    pub(super) office: String,
    pub(super) silent: String,
    pub(super) opens: String,
    pub(super) closes: String,
    /// Whether the form comes back as it was typed.
    pub(super) refused: bool,
    /// In a sentence, with who set it when.
    pub(super) words: String,
}

/// `09:00` of minutes after midnight.
fn time(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

impl Watching {
    /// Of all offices.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn load(tx: &mut Tx<'_>) -> Result<Self, StoreError> {
        Ok(Self { offices: people::offices(tx)?, set: watch::offices(tx)? })
    }

    fn of(&self, office: OfficeId) -> Watch {
        self.set.get(&office).map_or_else(Watch::default, |set| set.watch)
    }

    /// The zone of an office; the page's own where it is unknown.
    pub(super) fn zone(&self, ui: &Ui, office: OfficeId) -> Tz {
        let row = self.offices.iter().find(|row| row.office == office);
        row.and_then(|row| row.clock.tz().ok()).unwrap_or(ui.zone)
    }

    /// Whether the silence of a terminal is to alarm people now: of one that works, and should be there.
    pub(super) fn is_alarmed(&self, ui: &Ui, line: &DeviceLine) -> bool {
        let heard: Option<Instant> =
            line.contact.as_ref().map(|contact| contact.at).or(line.enrolled.map(|(_, at)| at));
        let is_silent = |at| self.of(line.office).is_alarmed(at, ui.now, self.zone(ui, line.office));
        line.status == DeviceStatus::Active && heard.is_some_and(is_silent)
    }

    /// What an office allows; its form as it was typed, if it was refused.
    pub(super) fn shown(&self, ui: &Ui, office: OfficeId, refused: Option<&Refused>) -> WatchShown {
        let watch = self.of(office);
        let (opens, closes) = (time(watch.opens), time(watch.closes));
        let mut words = ui.t_of(
            "watch-words",
            &[
                ("opens", opens.clone()),
                ("closes", closes.clone()),
                ("n", watch.silent_minutes.to_string()),
                ("zone", self.zone(ui, office).name().to_owned()),
            ],
        );
        if let Some(set) = self.set.get(&office) {
            let by = set.by.clone().unwrap_or_else(|| "—".to_owned());
            words.push_str(&ui.t_of("watch-set-by", &[("name", by), ("time", ui.time(set.at))]));
        }
        let (id, silent) = (office.to_string(), watch.silent_minutes.to_string());
        match refused.filter(|refused| refused.office == office) {
            None => WatchShown { office: id, silent, opens, closes, refused: false, words },
            Some(typed) => WatchShown {
                office: id,
                silent: typed.silent.clone(),
                opens: typed.opens.clone(),
                closes: typed.closes.clone(),
                refused: true,
                words,
            },
        }
    }
}

/// Sets what an office allows.
pub async fn set(
    State(console): State<Console>,
    Path(office): Path<OfficeId>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled_as(&MAY_SET)?;
    let field = |name| posted.fields.get(name);
    let read = match Watch::read(field("silent"), field("opens"), field("closes")) {
        Ok(read) => read,
        Err(unfit) => {
            let key = match unfit {
                Unfit::Minutes => "watch-minutes-wrong",
                Unfit::Time => "watch-time-wrong",
            };
            let [silent, opens, closes] = ["silent", "opens", "closes"].map(|name| field(name).to_owned());
            let refused = Refused { office, silent, opens, closes, error: posted.by.ui.t(key) };
            return devices::listed(&console, &posted.by, "", Some(refused)).await;
        }
    };
    let by = (posted.by.session.staff, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
        if !people::offices(tx)?.iter().any(|row| row.office == office) {
            return Ok(false);
        }
        watch::set(tx, office, read, by).map(|()| true)
    };
    if !console.app.db.write(work).await? {
        return Err(Failure::NotFound);
    }
    tracing::info!(%office, silent_minutes = read.silent_minutes, "an office's limit of silence was set");
    Ok(go("/devices"))
}
