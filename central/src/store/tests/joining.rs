//! Joining and leaving from act to rows, on both databases, each story replayed from its journal at the end.

use hufu_shared::act::{
    Act, Actor, ApplicationDecided, ApplicationEnd, ApplicationFiled, LeaveDecided, LeaveFiled, MemberErased,
    MemberRestored, MessagesTold, Pin, PinOutcome, Verdict,
};
use hufu_shared::dictionary::{self, Term};
use hufu_shared::fact::{Event, Form, Shown};
use hufu_shared::form::{FormContent, SALT_BYTES};
use hufu_shared::ids::{EntryId, FactId, Hash, MemberId};
use hufu_shared::seal::OpenKey;
use hufu_shared::time::{Instant, SECOND_US};

use super::conflicts::decided;
use super::kit::*;
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, Tx};
use crate::rules::apply::look_alike_case;
use crate::rules::entry::{EntryBody, TakenAct};
use crate::rules::joining::application::State;
use crate::rules::joining::leaving;
use crate::rules::joining::notice::About;
use crate::rules::world::KnownMessage;
use crate::store::people::PeopleError;
use crate::store::verify::verify;
use crate::store::{StoreError, contact, joining, journal, lookalikes};
use crate::vault::{Document, DocumentKind, Personal, Vault};

mod departed;
mod kept;

const DOCUMENT: &str = "11010519491231002X";
const REASON: Hash = Hash([0; 32]);

struct Desk {
    vault: Vault,
    key: OpenKey,
    terminal: Terminal,
    acts: u8,
    _keys: tempfile::TempDir,
}

fn named(name: &str) -> Personal {
    Personal { name: name.to_owned(), ..Personal::default() }
}

fn written(fields: &[(&str, &str)]) -> FormContent {
    let field = |(code, value): &(&str, &str)| ((*code).to_owned(), (*value).to_owned());
    FormContent { fields: fields.iter().map(field).collect() }
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
    let put = move |tx: &mut Tx<'_>| -> Result<(), crate::vault::VaultError> {
        people.iter().try_for_each(|(member, personal)| at.put(tx, *member, personal))
    };
    db.write(put).await.expect("in the vault");
    let terminal = Terminal::start(TERMINAL_A);
    Desk { vault, key: OpenKey::from_seed(&[7; 32]), terminal, acts: 100, _keys: keys }
}

impl Desk {
    fn next(&mut self) -> (u8, Instant) {
        self.acts += 1;
        (self.acts, NOON.offset((9 * 3600 + i64::from(self.acts)) * SECOND_US))
    }

    async fn act(&mut self, db: &Db, what: Act) {
        let (n, at) = self.next();
        act(db, n, at, what).await;
    }

    async fn act_by(&mut self, db: &Db, actor: Actor, act: Act) {
        let (n, at) = self.next();
        entry(db, EntryId([n; 16]), at, EntryBody::Act(TakenAct { actor, act, seen: Vec::new() })).await;
    }

    /// Files an application at the centre, as a page does: the act, the sealed part, the look-up.
    async fn files(&mut self, db: &Db, n: u8, route: &str, fields: &[(&str, &str)]) -> FactId {
        let id = FactId::filed([n; 16]);
        let content = written(fields);
        let form = content.seal(&self.key.seal_key(), [3; SALT_BYTES]).expect("a good key");
        let filed = ApplicationFiled {
            application: id,
            route: route.to_owned(),
            way: None,
            kind: "person".to_owned(),
            office: Some(OFFICE_A),
            referrer: None,
            form: form.commitment,
            standing: "applicant".to_owned(),
            automatic: false,
            carer: None,
        };
        self.act(db, Act::ApplicationFiled(filed)).await;
        let (vault, route) = (self.vault.clone(), route.to_owned());
        let look = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
            contact::put_sealed(tx, id, &form.sealed)?;
            lookalikes::of_filed(tx, &vault, (id, &route), &content)
        };
        let (found, _) = db.write(look).await.expect("looked up");
        self.act(db, Act::LookAlikesFound(found)).await;
        id
    }

    /// Takes an application at a terminal and looks it up.
    async fn takes(&mut self, db: &Db, seconds: i64, fields: &[(&str, &str)]) -> FactId {
        let form = written(fields).seal(&self.key.seal_key(), [3; SALT_BYTES]).expect("a good key");
        let body =
            Form { commitment: form.commitment, subject: None, route: "office".to_owned(), consent: None };
        let id = self.terminal.record(seconds, Shown::Accepted, Event::ApplicationTaken(body));
        self.terminal.upload(db).await;
        db.write(move |tx| contact::put_sealed(tx, id, &form.sealed)).await.expect("kept");
        let (n, now) = self.next();
        let (vault, key) = (self.vault.clone(), self.key.clone());
        let look = move |tx: &mut Tx<'_>| lookalikes::look_up(tx, (&vault, &key), EntryId([n; 16]), now);
        db.write(look).await.expect("looked up").expect("one waited");
        id
    }
}

async fn state(db: &Db, id: FactId) -> (State, Option<MemberId>) {
    let known = db.read(move |tx| joining::filed(tx, id)).await.expect("read").expect("filed");
    (known.state, known.member)
}

async fn messages(db: &Db, told: bool) -> Vec<(Hash, KnownMessage)> {
    let from = (Instant(0), Hash([0; 32]));
    db.read(move |tx| joining::messages(tx, told, from, 100)).await.expect("read")
}

async fn due(db: &Db) -> Vec<(About, Option<MemberId>)> {
    messages(db, false).await.into_iter().map(|(_, known)| (known.about, known.member)).collect()
}

async fn status(db: &Db, n: u8) -> String {
    probe(db, "member_status", vec![member(n).0.into()]).await[0].text(0).expect("text").to_owned()
}

async fn holds(db: &Db) {
    while db.write(journal::publish).await.expect("published") > 0 {}
    let findings = verify(db).await.expect("readable").findings;
    assert!(findings.is_empty(), "{:?}", findings.first());
}

fn new_member(n: u8) -> Act {
    Act::MembersSet(vec![hufu_shared::act::MemberSet {
        member: member(n),
        number: format!("M{n}"),
        level: None,
        status: hufu_shared::member::MemberStatus::Active,
        office: None,
        personal: Hash([n; 32]),
        joined: None,
    }])
}

fn leaves(n: u8, kind: &str) -> Act {
    Act::LeaveFiled(LeaveFiled { member: member(n), kind: kind.to_owned(), reason: REASON })
}

fn ended(application: FactId, end: ApplicationEnd) -> Act {
    Act::ApplicationDecided(ApplicationDecided { application, end, reason: REASON })
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k03_k05_k06_an_application_filed_at_the_centre_is_looked_up_and_answered_by_its_route() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        let same = [("name", "王 伟"), ("document", "110105 19491231 002x")];
        let website = desk.files(&db, 1, "website", &same).await;
        let office = desk.files(&db, 2, "office", &same).await;
        let first = desk.files(&db, 3, "centre", &[("name", "李雷"), ("mobile", "13700137000")]).await;
        let alike = desk.files(&db, 4, "centre", &[("name", "欧阳静")]).await;
        assert_eq!(state(&db, website).await, (State::AlreadyMember, Some(member(3))));
        assert_eq!(state(&db, office).await, (State::Bound, Some(member(3))), "to be associated");
        assert_eq!(state(&db, first).await, (State::Waiting, None));
        assert_eq!(state(&db, alike).await, (State::Pending, None));
        assert_eq!(count(&db, "open_cases", vec![]).await, 1);
        assert_eq!(due(&db).await, [(About::AlreadyMember, Some(member(3))); 2], "both are to be told");
        let twice = desk.files(&db, 3, "website", &same).await;
        assert_eq!(state(&db, twice).await.0, State::Waiting, "the same name is the same application");
        holds(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k08_applications_of_every_route_are_merged_into_one_member_and_none_is_lost() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        let same = [("name", "李雷"), ("mobile", "13700137000")];
        let taken = desk.takes(&db, 0, &same).await;
        let first = desk.files(&db, 1, "website", &same).await;
        let second = desk.files(&db, 2, "centre", &same).await;
        assert_eq!(standing(&db, taken).await.0, "applied", "it came when nobody was like it");
        assert_eq!(state(&db, second).await.0, State::Pending);
        // (c): no member, but both others: a new member, and all three leave the pending ones.
        desk.act(&db, new_member(6)).await;
        let belongs = |fact| Pin { fact, outcome: PinOutcome::BelongsTo(member(6)) };
        let out = |fact| Pin { fact, outcome: PinOutcome::DoesNotCount };
        let pins = vec![belongs(second), belongs(first), out(first), belongs(taken), out(taken)];
        desk.act(&db, decided(look_alike_case(second), Verdict::Merge, pins)).await;
        assert_eq!(state(&db, second).await, (State::Joined, Some(member(6))));
        assert_eq!(state(&db, first).await, (State::Merged, Some(member(6))));
        assert_eq!(standing(&db, taken).await, ("merged".to_owned(), Some(29)));
        assert_eq!(count(&db, "open_cases", vec![]).await, 0, "the others' own cases are over");
        assert_eq!(due(&db).await, [(About::Joined, Some(member(6)))], "one person is told once");
        // Who comes too late changes nothing.
        desk.act(&db, ended(first, ApplicationEnd::Bound(member(2)))).await;
        desk.act(&db, ended(second, ApplicationEnd::Rejected)).await;
        assert_eq!(state(&db, first).await, (State::Merged, Some(member(6))));
        assert_eq!(state(&db, second).await, (State::Joined, Some(member(6))));
        holds(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k08_a_member_and_applications_of_every_route_become_that_members() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        let first = desk.files(&db, 1, "website", &[("name", "欧阳静"), ("mobile", "13900139000")]).await;
        let taken = desk.takes(&db, 0, &[("name", "欧阳婧"), ("mobile", "13900139000")]).await;
        assert_eq!(
            standing(&db, taken).await,
            ("held".to_owned(), Some(29)),
            "like the one from the website"
        );
        // (a): the member has priority, both leave the pending ones.
        let belongs = |fact| Pin { fact, outcome: PinOutcome::BelongsTo(member(1)) };
        let out = Pin { fact: first, outcome: PinOutcome::DoesNotCount };
        let pins = vec![belongs(taken), belongs(first), out];
        desk.act(&db, decided(look_alike_case(taken), Verdict::Bind, pins)).await;
        assert_eq!(standing(&db, taken).await.0, "applied");
        assert_eq!(state(&db, first).await, (State::Merged, Some(member(1))));
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        assert_eq!(due(&db).await, [(About::AlreadyMember, Some(member(1)))]);
        holds(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_g02_what_lapsed_can_be_completed_and_what_was_turned_down_cannot() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        let nobody = [("name", "李雷")];
        let (lapsed, refused) = (
            desk.files(&db, 1, "website", &nobody).await,
            desk.files(&db, 2, "centre", &[("name", "韩梅")]).await,
        );
        let (taken, out) =
            (desk.takes(&db, 0, &[("name", "赵六")]).await, desk.takes(&db, 60, &[("name", "欧阳静")]).await);
        desk.act(&db, ended(lapsed, ApplicationEnd::Lapsed)).await;
        desk.act(&db, ended(taken, ApplicationEnd::Lapsed)).await;
        desk.act(&db, ended(refused, ApplicationEnd::Rejected)).await;
        let no = vec![Pin { fact: out, outcome: PinOutcome::DoesNotCount }];
        desk.act(&db, decided(look_alike_case(out), Verdict::Reverse, no)).await;
        assert_eq!(
            (state(&db, lapsed).await.0, state(&db, refused).await.0),
            (State::Lapsed, State::Rejected)
        );
        for id in [taken, out] {
            assert_eq!(standing(&db, id).await, ("no_effect".to_owned(), Some(29)));
        }
        let told: Vec<About> = due(&db).await.into_iter().map(|row| row.0).collect();
        assert_eq!(told, [About::Lapsed, About::Lapsed, About::Rejected, About::Rejected]);
        desk.act(&db, new_member(6)).await;
        for id in [lapsed, refused, taken, out] {
            desk.act(&db, ended(id, ApplicationEnd::Joined(member(6)))).await;
        }
        assert_eq!(state(&db, lapsed).await, (State::Joined, Some(member(6))), "completed");
        assert_eq!(state(&db, refused).await, (State::Rejected, None));
        assert_eq!(standing(&db, taken).await.0, "applied", "completed");
        assert_eq!(standing(&db, out).await.0, "no_effect", "what a person turned down stays so");
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        holds(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k12_what_the_club_says_of_its_words_stands_above_the_built_in_ones() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        let term = |code: &str, zh: &str, order, retired| Term {
            dictionary: dictionary::LEAVE_KIND.to_owned(),
            code: code.to_owned(),
            words: words(zh, "word"),
            order,
            retired,
        };
        let set = vec![term("expired", "到期退会", 21, true), term("moved", "迁居外地", 99, false)];
        desk.act(&db, Act::DictionarySet(set)).await;
        desk.act(&db, Act::DictionarySet(vec![term("moved", "迁往外地", 99, false)])).await;
        let read = db.read(|tx| -> Result<_, StoreError> {
            let all = joining::terms(tx, dictionary::LEAVE_KIND)?;
            let can = ["normal", "expired", "moved", "nonsense"]
                .map(|code| joining::can_choose(tx, dictionary::LEAVE_KIND, code).expect("read"));
            Ok((all, can))
        });
        let (all, can) = read.await.expect("read");
        let zh: Vec<&str> = all.iter().map(|term| term.words.zh.as_str()).collect();
        assert_eq!(zh, ["正常退会", "联系无效", "到期退会", "数据错误", "迁往外地"]);
        assert_eq!(can, [true, false, true, false], "a retired word is read and not chosen");
        holds(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_of_joining_prepares_on_both_engines() {
    prepare_all(&[&joining::SQL, &lookalikes::SQL, &crate::store::associations::SQL]).await;
}

fn by_itself(n: u8, standing: &str) -> ApplicationFiled {
    ApplicationFiled {
        application: FactId::filed([n; 16]),
        route: "centre".to_owned(),
        way: None,
        kind: "person".to_owned(),
        office: None,
        referrer: None,
        form: Hash([n; 32]),
        standing: standing.to_owned(),
        automatic: true,
        carer: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k04_k09_the_sales_system_is_told_by_what_was_bought_and_says_when_it_is_done() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        let (buyer, nobody) = (FactId::filed([1; 16]), FactId::filed([2; 16]));
        desk.act(&db, Act::ApplicationFiled(by_itself(1, "buyer"))).await;
        desk.act(&db, Act::ApplicationFiled(by_itself(2, "potential"))).await;
        let known = db.read(move |tx| joining::filed(tx, nobody)).await.expect("read");
        assert_eq!(known, None, "only a known buyer's comes of itself");
        let taken = desk.takes(&db, 0, &[("name", "赵六")]).await;
        let same = [("name", "王 伟"), ("document", "110105 19491231 002x")];
        let website = desk.files(&db, 3, "website", &same).await;
        let office = desk.files(&db, 4, "office", &same).await;
        desk.act(&db, new_member(6)).await;
        for id in [buyer, taken, buyer] {
            desk.act(&db, ended(id, ApplicationEnd::Joined(member(6)))).await;
        }
        let page = |done| {
            use crate::store::associations::{self, Place};
            db.read(move |tx| associations::page(tx, done, &Place::first(), 10))
        };
        let rows = |page: Vec<(FactId, crate::rules::joining::application::Association, _)>| {
            page.into_iter().map(|row| (row.0, row.1.code())).collect::<Vec<_>>()
        };
        let due = rows(page(false).await.expect("read"));
        let mut expected = vec![(office, "mark"), (buyer, "add_purchase"), (buyer, "mark"), (taken, "mark")];
        expected.sort_by_key(|row| due.iter().position(|met| met == row));
        assert_eq!(due, expected, "website: {website:?} is answered only");
        for _ in 0..2 {
            let done = hufu_shared::act::AssociationDone { application: buyer, step: "mark".to_owned() };
            desk.act(&db, Act::AssociationDone(done)).await;
        }
        assert_eq!(rows(page(true).await.expect("read")), [(buyer, "mark")]);
        assert_eq!(page(false).await.expect("read").len(), 3);
        holds(&db).await;
    })
    .await;
}
