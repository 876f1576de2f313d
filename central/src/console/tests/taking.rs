//! Facts of a terminal that are taken in as an upload does.

use hufu_shared::chain;
use hufu_shared::fact::{Event, FACT_FORMAT, Fact, Form, Shown, Subject};
use hufu_shared::form::{FormContent, ROUTE_OFFICE, SALT_BYTES};
use hufu_shared::ids::{DeviceId, FactId, MemberId};
use hufu_shared::time::ClockQuality;
use hufu_shared::token::{MediumKind, Token};
use hufu_shared::wire::version::Version;

use super::kit::Site;
use crate::db::{SqlFile, Tx};
use crate::jobs::lookalikes;
use crate::rules::entry::{EntryBody, TakenBatch};
use crate::store::people::PeopleError;
use crate::store::{contact, journal};
use crate::vault::Personal;

static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));

pub fn written(fields: &[(&str, &str)]) -> FormContent {
    let field = |(code, value): &(&str, &str)| ((*code).to_owned(), (*value).to_owned());
    FormContent { fields: fields.iter().map(field).collect() }
}

/// Takes the next fact of the first terminal in, with its sealed part beside it if it has one.
pub async fn record(site: &Site, event: Event, sealed: Option<Vec<u8>>) -> FactId {
    let (now, entry) = (site.app.now(), site.app.entry_id().expect("an id"));
    let work = move |tx: &mut Tx<'_>| -> Result<FactId, PeopleError> {
        let received = journal::pass_gate(tx, now)?;
        let device = DeviceId(tx.query_one(PROBE.get("a_device"), &[])?.array(0)?);
        let (acked, head) = contact::cursor(tx, device, 1)?.expect("a terminal with history");
        let fact = Fact {
            format: FACT_FORMAT,
            seq: acked + 1,
            wall: now,
            mono_ns: 3_600_000_000_000,
            boot: 1,
            clock: ClockQuality::Synced,
            directory: Version { epoch: 1, n: 1 },
            block: Version { epoch: 1, n: 1 },
            scheme: 1,
            operator: None,
            shown: Shown::Accepted,
            rule: None,
            event: event.clone(),
        };
        let bytes = hufu_shared::cbor::encode(&fact);
        let batch = TakenBatch {
            device,
            epoch: 1,
            from_seq: acked + 1,
            head: chain::link(head, &bytes),
            bodies: vec![bytes.into()],
            quarantined: Vec::new(),
            sample: None,
            stated: Vec::new(),
            review: None,
            knew: Vec::new(),
            read: Default::default(),
        };
        journal::take(tx, entry, received, EntryBody::Batch(batch))?;
        let id = FactId { device, epoch: 1, seq: acked + 1 };
        if let Some(sealed) = &sealed {
            contact::put_sealed(tx, id, sealed)?;
        }
        Ok(id)
    };
    site.app.write(work).await.expect("taken in")
}

/// Takes a form in, and looks up whom it looks like.
pub async fn takes(site: &Site, content: &FormContent, event: impl Fn(Form) -> Event) -> FactId {
    let id = takes_only(site, content, event).await;
    lookalikes::round(&site.app).await.expect("looked up");
    id
}

/// Takes a form in that waits to be looked up.
pub async fn takes_only(site: &Site, content: &FormContent, event: impl Fn(Form) -> Event) -> FactId {
    let form = content.seal(&site.app.keys.seal_public(), [3; SALT_BYTES]).expect("a good key");
    let body =
        Form { commitment: form.commitment, subject: None, route: ROUTE_OFFICE.to_owned(), consent: None };
    record(site, event(body), Some(form.sealed)).await
}

pub async fn revealed(site: &Site, member: MemberId) -> Personal {
    let vault = site.app.vault.clone();
    let read = move |tx: &mut Tx<'_>| vault.reveal(tx, member);
    site.app.db.read(read).await.expect("readable").expect("in the vault")
}

/// A card in use, as a terminal presents it, and its member.
pub async fn card_in_use(site: &Site) -> (Subject, MemberId) {
    let card = site
        .app
        .db
        .read::<_, crate::db::DbError, _>(|tx| tx.query_one(PROBE.get("a_card_in_use"), &[]))
        .await
        .expect("a card");
    let token = Token::from_bytes(card.array(0).expect("token"));
    let subject = Subject { token, member: None, reader: 0, medium: MediumKind::Uid, code: None };
    (subject, MemberId(card.array(1).expect("member")))
}
