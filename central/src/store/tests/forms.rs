//! Forms from end to end, on both databases: sealed at a terminal, looked up by the centre, decided by a person.

use hufu_shared::act::{Act, FieldSet, LookAlikesFound, MemberSet, Pin, PinOutcome, ProfileSet, Verdict};
use hufu_shared::fact::{Event, Form, ProfileChange, Shown};
use hufu_shared::form::{FormContent, SALT_BYTES, SealedForm};
use hufu_shared::ids::{EntryId, FactId, Hash};
use hufu_shared::member::MemberStatus;
use hufu_shared::seal::OpenKey;
use hufu_shared::time::{Instant, SECOND_US};
use hufu_shared::wire::version::Version;

use super::conflicts::decided;
use super::kit::*;
use crate::db::Db;
use crate::db::testing::{each, prepare_all};
use crate::rules::apply::{look_alike_case, profile_case};
use crate::rules::entry::EntryBody;
use crate::store::verify::verify;
use crate::store::{contact, journal, lookalikes};
use crate::vault::{Document, DocumentKind, Personal, Vault};

const DOCUMENT: &str = "11010519491231002X";

struct Desk {
    vault: Vault,
    key: OpenKey,
    terminal: Terminal,
    entries: u8,
    _keys: tempfile::TempDir,
}

/// A club in which member 1 is 欧阳静 with a mobile, and member 3 has an identity card.
async fn desk(db: &Db) -> Desk {
    found(db).await;
    let keys = tempfile::tempdir().expect("a folder");
    let vault = Vault::create(&keys.path().join("vault.key")).expect("keys");
    let one = Personal { mobile: Some("13800138000".to_owned()), ..named("欧阳静") };
    let document = Document { kind: DocumentKind::IdentityCard, number: DOCUMENT.to_owned() };
    let three = Personal { document: Some(document), ..named("王伟") };
    let people = [(member(1), one), (member(3), three)];
    let at = vault.clone();
    let put = move |tx: &mut crate::db::Tx<'_>| -> Result<(), crate::vault::VaultError> {
        people.iter().try_for_each(|(member, personal)| at.put(tx, *member, personal))
    };
    db.write(put).await.expect("in the vault");
    let terminal = Terminal::start(TERMINAL_A);
    Desk { vault, key: OpenKey::from_seed(&[7; 32]), terminal, entries: 0, _keys: keys }
}

fn named(name: &str) -> Personal {
    Personal { name: name.to_owned(), ..Personal::default() }
}

fn written(fields: &[(&str, &str)]) -> FormContent {
    let field = |(code, value): &(&str, &str)| ((*code).to_owned(), (*value).to_owned());
    FormContent { fields: fields.iter().map(field).collect() }
}

impl Desk {
    fn sealed(&self, fields: &[(&str, &str)]) -> SealedForm {
        written(fields).seal(&self.key.seal_key(), [3; SALT_BYTES]).expect("a good key")
    }

    /// Takes an application in, as the upload does: the fact, and its sealed part beside it.
    async fn applies(&mut self, db: &Db, seconds: i64, route: &str, fields: &[(&str, &str)]) -> FactId {
        let form = self.sealed(fields);
        let body =
            Form { commitment: form.commitment, subject: None, route: route.to_owned(), consent: None };
        let id = self.terminal.record(seconds, Shown::Accepted, Event::ApplicationTaken(body));
        self.terminal.upload(db).await;
        db.write(move |tx| contact::put_sealed(tx, id, &form.sealed)).await.expect("kept");
        id
    }

    /// One round of the job; answers what it found, in order.
    async fn look_up(&mut self, db: &Db) -> Vec<LookAlikesFound> {
        let mut all = Vec::new();
        loop {
            self.entries += 1;
            let (vault, key, id) = (self.vault.clone(), self.key.clone(), EntryId([self.entries; 16]));
            let id = EntryId([&[0xee; 15][..], &id.0[..1]].concat().try_into().expect("16 bytes"));
            let now = evening(self.entries);
            let found = db.write(move |tx| lookalikes::look_up(tx, (&vault, &key), id, now)).await;
            match found.expect("looked up") {
                Some(found) => all.push(found),
                None => return all,
            }
        }
    }
}

fn evening(n: u8) -> Instant {
    NOON.offset((9 * 3600 + i64::from(n)) * SECOND_US)
}

fn plain() -> (String, Option<i64>) {
    ("applied".to_owned(), None)
}

fn held() -> (String, Option<i64>) {
    ("held".to_owned(), Some(29))
}

async fn holds(db: &Db) {
    while db.write(journal::publish).await.expect("published") > 0 {}
    let findings = verify(db).await.expect("readable").findings;
    assert!(findings.is_empty(), "{:?}", findings.first());
    assert_eq!(count(db, "sums_not_zero", vec![]).await, 0);
}

async fn whose(db: &Db, id: FactId) -> Option<Vec<u8>> {
    let rows = probe(db, "whose", crate::store::rows::fact_id_values(id).to_vec()).await;
    rows[0].blob_opt(0).expect("bytes").map(<[u8]>::to_vec)
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_29_who_an_application_looks_like_is_found_and_put_before_a_person() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        let nobody = desk.applies(&db, 0, "office", &[("name", "李雷"), ("mobile", "13700137000")]).await;
        let name = desk.applies(&db, 60, "office", &[("name", "欧阳 静"), ("mobile", "13900139000")]).await;
        let again =
            desk.applies(&db, 120, "website", &[("name", "欧阳婧"), ("mobile", "+86 139-0013-9000")]).await;
        let found = desk.look_up(&db).await;
        assert_eq!(found.len(), 3);
        assert_eq!((&found[0].members, &found[0].applications), (&vec![], &vec![]));
        assert_eq!((&found[1].members, &found[1].applications), (&vec![member(1)], &vec![]));
        assert_eq!((&found[2].members, &found[2].applications), (&vec![], &vec![name]), "by the mobile");
        assert_eq!(standing(&db, nobody).await, plain());
        assert_eq!((standing(&db, name).await, standing(&db, again).await), (held(), held()));
        assert!(desk.look_up(&db).await.is_empty(), "nothing is looked up twice");
        holds(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k06_a_document_number_decides_without_a_person() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        let form = [("name", "王 伟"), ("document", "110105 19491231 002x")];
        let office = desk.applies(&db, 0, "office", &form).await;
        let website = desk.applies(&db, 60, "website", &form).await;
        let found = desk.look_up(&db).await;
        assert!(found.iter().all(|found| found.same_document == Some(member(3))));
        assert_eq!(standing(&db, office).await, plain(), "associated");
        assert_eq!(standing(&db, website).await, ("merged".to_owned(), Some(29)), "already a member");
        for id in [office, website] {
            assert_eq!(whose(&db, id).await, Some(member(3).0.to_vec()));
        }
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        holds(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_29_a_form_that_cannot_be_read_looks_like_nobody_and_stands_in_nobodys_way() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        desk.key = OpenKey::from_seed(&[8; 32]);
        let damaged = desk.applies(&db, 0, "office", &[("name", "欧阳静")]).await;
        desk.key = OpenKey::from_seed(&[7; 32]);
        let good = desk.applies(&db, 60, "office", &[("name", "欧阳静")]).await;
        assert_eq!(desk.look_up(&db).await.len(), 2);
        assert_eq!((standing(&db, damaged).await, standing(&db, good).await), (plain(), held()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k08_each_choice_gives_its_outcome_and_what_was_merged_waits_no_more() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        let same = [("name", "欧阳静"), ("mobile", "13900139000")];
        let first = desk.applies(&db, 0, "office", &same).await;
        let second = desk.applies(&db, 60, "office", &same).await;
        let third = desk.applies(&db, 120, "website", &same).await;
        desk.look_up(&db).await;
        assert_eq!(count(&db, "open_cases", vec![]).await, 3);
        // (a): a member and an application: the member has priority, both leave the pending ones.
        let belongs = |fact| Pin { fact, outcome: PinOutcome::BelongsTo(member(1)) };
        let merged = |fact| Pin { fact, outcome: PinOutcome::DoesNotCount };
        let pins = vec![belongs(second), belongs(first), merged(first)];
        act(&db, 60, evening(60), decided(look_alike_case(second), Verdict::Bind, pins)).await;
        assert_eq!(standing(&db, second).await, plain());
        assert_eq!(standing(&db, first).await, ("merged".to_owned(), Some(29)));
        for id in [first, second] {
            assert_eq!(whose(&db, id).await, Some(member(1).0.to_vec()));
        }
        assert_eq!(count(&db, "open_cases", vec![]).await, 1, "the first one's own case is over");
        assert_eq!(standing(&db, third).await, held());
        // (d): none of them: a new member.
        let new = MemberSet {
            member: member(6),
            number: "M6".to_owned(),
            level: None,
            status: MemberStatus::Active,
            office: None,
            personal: Hash([6; 32]),
            joined: None,
        };
        act(&db, 61, evening(61), Act::MembersSet(vec![new])).await;
        let pins = vec![Pin { fact: third, outcome: PinOutcome::BelongsTo(member(6)) }];
        act(&db, 62, evening(62), decided(look_alike_case(third), Verdict::Confirm, pins)).await;
        assert_eq!(standing(&db, third).await, plain());
        assert_eq!(whose(&db, third).await, Some(member(6).0.to_vec()));
        let late = desk.applies(&db, 180, "office", &same).await;
        let found = desk.look_up(&db).await;
        assert_eq!(found[0].application, late);
        assert!(found[0].applications.is_empty(), "those that were decided wait no more");
        holds(&db).await;
    })
    .await;
}

/// Asks for fields of member 1's data, as the terminal knew them when its directory held everything up to `n`.
fn wants(terminal: &mut Terminal, seconds: i64, fields: &[&str], n: u64) -> FactId {
    let form = Form {
        commitment: Hash([9; 32]),
        subject: Some(subject(1)),
        route: "counter".to_owned(),
        consent: None,
    };
    let fields = fields.iter().map(|field| ((*field).to_owned(), Version { epoch: 1, n })).collect();
    terminal.record(seconds, Shown::Accepted, Event::ProfileChangeRequested(ProfileChange { form, fields }))
}

/// Takes in what a terminal has, with when the newest act of version 1 and of version 2 was taken.
async fn upload(db: &Db, terminal: &mut Terminal, n: u8, times: [Instant; 2]) {
    let mut batch = terminal.batch();
    batch.knew = (1..).zip(times).map(|(n, at)| (Version { epoch: 1, n }, at)).collect();
    entry(db, EntryId([n; 16]), evening(n), EntryBody::Batch(batch)).await;
}

fn counts(fact: FactId, counts: bool) -> Pin {
    Pin { fact, outcome: if counts { PinOutcome::Counts } else { PinOutcome::DoesNotCount } }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_15_a_verdict_is_about_one_field_and_the_others_are_judged_anew() {
    each(|db| async move {
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let times = [NOON, evening(70)];
        let both = wants(&mut a, 0, &["mobile", "address"], 1);
        let other = wants(&mut b, 60, &["mobile"], 1);
        let third = wants(&mut b, 120, &["address"], 1);
        upload(&db, &mut a, 60, times).await;
        upload(&db, &mut b, 61, times).await;
        let waits = || ("held".to_owned(), Some(15));
        for id in [both, other, third] {
            assert_eq!(standing(&db, id).await, waits());
        }
        let mobile = decided(
            profile_case(member(1), "mobile"),
            Verdict::Merge,
            vec![counts(both, true), counts(other, false)],
        );
        act(&db, 62, evening(62), mobile).await;
        assert_eq!(standing(&db, other).await, ("no_effect".to_owned(), Some(15)));
        assert_eq!(standing(&db, both).await, waits(), "its address is still to be chosen");
        let address = decided(
            profile_case(member(1), "address"),
            Verdict::Merge,
            vec![counts(both, false), counts(third, true)],
        );
        act(&db, 63, evening(63), address).await;
        assert_eq!(standing(&db, both).await, plain(), "its mobile was taken over");
        assert_eq!(standing(&db, third).await, plain());
        // A terminal that had not heard of the change asks again; one that had is not asked.
        let stale = wants(&mut a, 600, &["mobile"], 1);
        upload(&db, &mut a, 64, times).await;
        assert_eq!(standing(&db, stale).await, waits());
        let case = decided(profile_case(member(1), "mobile"), Verdict::Reverse, vec![counts(stale, false)]);
        act(&db, 65, evening(65), case).await;
        assert_eq!(standing(&db, stale).await, ("no_effect".to_owned(), Some(15)));
        assert_eq!(standing(&db, both).await, plain(), "what was taken over stays so");
        let fresh = wants(&mut a, 700, &["mobile"], 2);
        upload(&db, &mut a, 66, times).await;
        assert_eq!(standing(&db, fresh).await, plain());
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        holds(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_15_a_field_that_was_edited_meanwhile_is_asked_about() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let alone = wants(&mut a, 0, &["email"], 1);
        upload(&db, &mut a, 60, [NOON, evening(70)]).await;
        assert_eq!(standing(&db, alone).await, plain(), "nobody disagrees");
        let change = FieldSet { field: "email".to_owned(), request: None, taken_over: true };
        let set = ProfileSet { member: member(1), changes: vec![change], reason: Hash([0; 32]), data: None };
        act(&db, 61, evening(61), Act::ProfileSet(set)).await;
        assert_eq!(
            standing(&db, alone).await,
            ("held".to_owned(), Some(15)),
            "the field is another one now, and nobody has dealt with the request"
        );
        let answer = FieldSet { field: "email".to_owned(), request: Some(alone), taken_over: false };
        let set = ProfileSet { member: member(1), changes: vec![answer], reason: Hash([0; 32]), data: None };
        act(&db, 62, evening(62), Act::ProfileSet(set)).await;
        assert_eq!(standing(&db, alone).await, ("no_effect".to_owned(), Some(15)));
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        holds(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_of_looking_up_prepares_on_both_engines() {
    prepare_all(&[&lookalikes::SQL]).await;
}
