//! Sealed forms at the console: from the fact of a terminal to the member's data.

use axum::http::StatusCode;
use hufu_shared::chain;
use hufu_shared::fact::{Event, FACT_FORMAT, Fact, Form, ProfileChange, Shown, Subject};
use hufu_shared::form::{FormContent, ROUTE_OFFICE, SALT_BYTES};
use hufu_shared::ids::{DeviceId, FactId, MemberId};
use hufu_shared::time::ClockQuality;
use hufu_shared::token::{MediumKind, Token};
use hufu_shared::wire::version::Version;

use super::kit::{Browser, Page, Site, each};
use crate::db::{SqlFile, Tx};
use crate::jobs::lookalikes;
use crate::rules::apply::{look_alike_case, profile_case};
use crate::rules::entry::{EntryBody, TakenBatch};
use crate::store::people::PeopleError;
use crate::store::{cases, contact, journal, lookalikes as found, people};
use crate::vault::Personal;

static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));

fn written(fields: &[(&str, &str)]) -> FormContent {
    let field = |(code, value): &(&str, &str)| ((*code).to_owned(), (*value).to_owned());
    FormContent { fields: fields.iter().map(field).collect() }
}

/// Takes a form in as an upload does: the next fact of the first terminal, its sealed part beside it.
async fn takes(site: &Site, content: &FormContent, event: impl Fn(Form) -> Event) -> FactId {
    let form = content.seal(&site.app.keys.seal_public(), [3; SALT_BYTES]).expect("a good key");
    let body = Form { commitment: form.commitment, subject: None, route: ROUTE_OFFICE.to_owned() };
    let (event, now, entry) = (event(body), site.app.now(), site.app.entry_id().expect("an id"));
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
        };
        journal::take(tx, entry, received, EntryBody::Batch(batch))?;
        let id = FactId { device, epoch: 1, seq: acked + 1 };
        contact::put_sealed(tx, id, &form.sealed)?;
        Ok(id)
    };
    let id = site.app.write(work).await.expect("taken in");
    lookalikes::round(&site.app).await.expect("looked up");
    id
}

async fn applies(site: &Site, fields: &[(&str, &str)]) -> FactId {
    takes(site, &written(fields), Event::ApplicationTaken).await
}

async fn revealed(site: &Site, member: MemberId) -> Personal {
    let vault = site.app.vault.clone();
    let read = move |tx: &mut Tx<'_>| vault.reveal(tx, member);
    site.app.db.read(read).await.expect("readable").expect("in the vault")
}

async fn waits(site: &Site, id: FactId) -> bool {
    site.app.db.read(move |tx| found::waits(tx, id)).await.expect("read")
}

fn id_of(fact: FactId) -> String {
    super::super::cases::fact_text(fact)
}

/// Posts on the page of a case as it is now.
async fn judge(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> (Page, Page) {
    let page = browser.get(path).await;
    let seen = page.between("name=\"seen\" value=\"", "\"").unwrap_or_default().to_owned();
    let mut all = vec![("seen", seen.as_str()), ("reason", "与申请人核对")];
    all.extend(fields.iter().copied());
    let answer = browser.post(path, &all).await;
    (page, answer)
}

async fn somebody(site: &Site) -> (MemberId, Personal) {
    let page = site.app.db.read(|tx| people::member_page(tx, "", 50)).await.expect("members");
    for row in page {
        let personal = revealed(site, row.member).await;
        if personal.mobile.is_some() {
            return (row.member, personal);
        }
    }
    panic!("no member has a mobile");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k08_an_application_is_joined_with_the_member_and_the_applications_that_a_person_chose() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (member, personal) = somebody(&site).await;
        let mobile = personal.mobile.clone().expect("a mobile");
        let form = [("name", "申请人"), ("mobile", mobile.as_str())];
        let other = applies(&site, &form).await;
        let own = applies(&site, &form).await;
        let path = format!("/cases/{}", look_alike_case(own));
        let (id, with) = (member.to_string(), format!("with-{}", id_of(other)));
        let chosen = [("verdict", "join"), ("alike", id.as_str()), (with.as_str(), "1")];
        let (page, done) = judge(&mut browser, &path, &chosen).await;
        assert!(page.text.contains("相似会员") && page.text.contains("手机相同"), "what is the same is told");
        assert!(page.text.contains(&id) && page.text.contains(&with), "both lists are offered");
        assert!(!page.text.contains(&mobile), "ui_f06: masked");
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
        assert!(!waits(&site, own).await && !waits(&site, other).await);
        let case = look_alike_case(other);
        let known = site.app.db.read(move |tx| cases::one(tx, case)).await.expect("read").expect("a case");
        assert_eq!(known.known.automatic, "merged", "the other one's case is over with it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k08_applications_alone_need_final_contact_data_and_become_one_new_member() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let first = applies(&site, &[("name", "禤墨白"), ("mobile", "13911112222")]).await;
        let second = applies(&site, &[("name", "禤墨白"), ("address", "春熙路 1 号")]).await;
        let path = format!("/cases/{}", look_alike_case(second));
        let with = format!("with-{}", id_of(first));
        let (_, refused) = judge(&mut browser, &path, &[("verdict", "join"), (&with, "1")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("请填写最终的手机"), "{}", refused.text);
        let contact = [("verdict", "join"), (with.as_str(), "1"), ("mobile", "13911113333")];
        let (_, done) = judge(&mut browser, &path, &contact).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
        let vault = site.app.vault.clone();
        let all = site.app.db.read(move |tx| vault.search(tx, "禤墨白", 5)).await.expect("search");
        assert_eq!(all.len(), 1, "one new member");
        let new = revealed(&site, all[0]).await;
        assert_eq!(new.mobile.as_deref(), Some("13911113333"), "as the person said");
        assert_eq!(new.address.as_deref(), Some("春熙路 1 号"), "as the application said");
        assert!(!waits(&site, first).await && !waits(&site, second).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_15_the_request_that_a_person_picks_is_written_into_the_members_data() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let card = site
            .app
            .db
            .read::<_, crate::db::DbError, _>(|tx| tx.query_one(PROBE.get("a_card_in_use"), &[]))
            .await
            .expect("a card");
        let token = Token::from_bytes(card.array(0).expect("token"));
        let member = MemberId(card.array(1).expect("member"));
        let asks = |form: Form| {
            let subject = Subject { token, member: None, reader: 0, medium: MediumKind::Uid };
            let form = Form { subject: Some(subject), ..form };
            let fields = vec![("mobile".to_owned(), Version { epoch: 1, n: 1 })];
            Event::ProfileChangeRequested(ProfileChange { form, fields })
        };
        let one = takes(&site, &written(&[("mobile", "13900001111")]), asks).await;
        takes(&site, &written(&[("mobile", "13900002222")]), asks).await;
        let path = format!("/cases/{}", profile_case(member, "mobile"));
        let counts = id_of(one);
        let (page, done) = judge(&mut browser, &path, &[("verdict", "merge"), ("counts", &counts)]).await;
        assert!(page.text.contains("139****1111") && page.text.contains("139****2222"), "side by side");
        assert!(page.text.contains("现有资料"), "beside what is on file");
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
        assert_eq!(revealed(&site, member).await.mobile.as_deref(), Some("13900001111"));
        let page = browser.get(&path).await;
        assert!(page.text.contains("已判定") || page.text.contains("处理记录"), "{}", page.text);
    })
    .await;
}
