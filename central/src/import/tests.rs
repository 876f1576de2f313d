//! Tests of import: cells and rows alone, and whole files on both databases.

use std::path::Path;

use chrono_tz::Asia::Shanghai;
use hufu_shared::act::{Act, Actor, CardSet, CardStatusSet, ClubFounded, MemberSet};
use hufu_shared::ids::{ClubId, EntryId, Hash};
use hufu_shared::member::{CardStatus, MemberStatus};
use hufu_shared::policy::Policy;
use hufu_shared::scheme::level::Ladder;
use hufu_shared::scheme::{Scheme, Words, ready};
use hufu_shared::seal::OpenKey;
use hufu_shared::time::{Day, Instant};
use hufu_shared::token::{CardText, MediumKind, TokenKey};
use hufu_shared::wire::version::CentralEpoch;

use super::grid::Encoding;
use super::run::{ImportError, Means, Report, Request, import, plan};
use super::sheet::{Reading, SheetError, read};
use super::write::write;
use super::*;
use crate::clock::Clock;
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, Tx};
use crate::rules::entry::{EntryBody, TakenAct};
use crate::store::people::{self, PeopleError};
use crate::store::{StoreError, acts, details, journal, levels};
use crate::vault::{Vault, mask};

mod cells;

pub(super) struct Noon;

impl Clock for Noon {
    fn now(&self) -> Instant {
        // 2026-11-22 12:00 in Shanghai.
        Instant(1_795_320_000_000_000)
    }
}

pub(super) const MEMBERS: &str = "\u{feff}会员编号,姓名,性别,手机,证件类型,证件号码,等级,保密\n\
    M1,欧阳静雯,女,+86 138 0013 8000,,11010519491231002x,金卡会员,\n\
    M2,古丽·买买提,男,199 0000 1234,护照,E12345678,,是\n\
    M3,𠀀𪚥,,,,,,\n";
pub(super) const OFFICES: &str =
    "code,name_zh,name_en,zone,cutoff\nA01,滨江案场,Riverside,Asia/Shanghai,02:00\nA02,=1+1,,,\n";
const ACTIVITIES: &str = "code,name_zh,starts,ends,state,points,offices\nH1,业主答谢会,2026-11-22 09:00,2026-11-22 21:00,已审批,6,A01；A02\n";
const CARDS: &str = "card,uid,member,status\n6688 0001,,M1,\n,04:A1:B2:C3:D4:E5:F6,M2,挂失\n6688-0003,,,\n";

fn keys() -> Vec<TokenKey> {
    vec![TokenKey::new(1, [7; 32]), TokenKey::new(2, [8; 32])]
}

async fn found(db: &Db) {
    let act = Act::ClubFounded(ClubFounded {
        club: ClubId([1; 16]),
        name: Words { zh: "云栖客户会".into(), en: "Yunqi Club".into() },
        epoch: CentralEpoch { n: 1, bits: 7 },
    });
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        let received = journal::pass_gate(tx, Noon.now())?;
        let taken = TakenAct { actor: Actor::Command("init".into()), act: act.clone(), seen: vec![] };
        journal::take(tx, EntryId([1; 16]), received, EntryBody::Act(taken)).map(|_| ())
    };
    db.write(work).await.expect("a club is founded");
}

pub(super) struct Centre {
    pub(super) db: Db,
    pub(super) vault: Vault,
    pub(super) keys: Vec<TokenKey>,
}

impl Centre {
    pub(super) async fn new(db: Db, folder: &Path) -> Self {
        found(&db).await;
        Self { db, vault: Vault::create(&folder.join("vault.key")).expect("a key file"), keys: keys() }
    }

    fn means(&self) -> Means<'_> {
        let seal = OpenKey::from_seed(&[1; 32]).seal_key();
        Means { db: &self.db, vault: &self.vault, token_keys: &self.keys, seal, clock: &Noon }
    }

    pub(super) async fn try_take(&self, request: Request) -> Result<Report, ImportError> {
        import(&self.means(), request).await
    }

    pub(super) async fn take(&self, kind: Kind, text: &str) -> Report {
        self.try_take(asked(kind, text)).await.expect("the file can be read")
    }

    pub(super) async fn entries(&self) -> u64 {
        self.db.write(journal::publish).await.expect("publishing");
        self.db.read(journal::published).await.expect("a number").0
    }
}

pub(super) fn asked(kind: Kind, text: &str) -> Request {
    Request::new(kind, "file.csv".into(), text.as_bytes().to_vec())
}

pub(super) fn counts(report: &Report) -> (usize, usize, usize, usize, bool) {
    (report.new, report.changed, report.unchanged, report.rejected, report.imported)
}

fn complaints(kind: Kind, text: &str) -> Vec<String> {
    let sheet = read(kind, text.as_bytes()).expect("a sheet");
    let today = Day::from_date(chrono::NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date"));
    let known: std::collections::HashMap<_, _> =
        std::iter::once(("A01".to_owned(), hufu_shared::ids::OfficeId([1; 16]))).collect();
    let mut bad = sheet.bad.clone();
    for line in &sheet.lines {
        let cells = match kind {
            Kind::Members => members::parse(line, &known, today).err(),
            Kind::Cards => cards::parse(line, &Default::default(), Shanghai).err(),
            Kind::Offices => offices::parse(line).err(),
            Kind::Activities => {
                let names = activities::Names { offices: known.clone(), ..activities::Names::default() };
                activities::parse(line, &names, Shanghai).err()
            }
            Kind::Balances => {
                let (members, offices) = (Default::default(), known.clone());
                let names = balances::Names { members, offices, cause: String::new() };
                balances::parse(line, &names, Shanghai, Noon.now()).err()
            }
            Kind::History => history::parse(line, &Default::default(), Shanghai, Noon.now()).err(),
        };
        bad.extend(cells.unwrap_or_default());
    }
    bad.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn every_statement_of_people_is_understood_by_both_engines() {
    prepare_all(&[&people::SQL]).await;
}

#[tokio::test]
async fn a_club_comes_in_by_four_files_and_nothing_personal_stands_in_the_journal() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = Centre::new(db, folder.path()).await;
        assert_eq!(counts(&centre.take(Kind::Offices, OFFICES).await), (2, 0, 0, 0, true));
        assert_eq!(counts(&centre.take(Kind::Members, MEMBERS).await), (3, 0, 0, 0, true));
        assert_eq!(counts(&centre.take(Kind::Cards, CARDS).await), (3, 0, 0, 0, true));
        assert_eq!(counts(&centre.take(Kind::Activities, ACTIVITIES).await), (1, 0, 0, 0, true));
        assert_eq!(centre.entries().await, 1 + 2 + 1 + 1 + 1, "one act per office, one per 500 members");
        let vault = centre.vault.clone();
        let check = move |tx: &mut Tx<'_>| -> Result<(), PeopleError> {
            let found = vault.search(tx, "欧阳", 10)?;
            assert_eq!(found.len(), 1);
            let row = people::member(tx, found[0])?.expect("the member stands in the books");
            assert_eq!(
                (row.number.as_str(), row.level.as_ref().map(|level| level.zh.as_str())),
                ("M1", Some("金卡会员"))
            );
            let known = vault.reveal(tx, found[0])?.expect("known");
            assert_eq!(known.mobile.as_deref(), Some("13800138000"));
            assert_eq!(known.birthday.map(|day| day.to_string()).as_deref(), Some("1949-12-31"));
            assert_eq!(known.document.as_ref().map(|d| d.number.as_str()), Some("11010519491231002X"));
            assert!(!people::wants_secrecy(tx, &vault, found[0], row.personal)?);
            let other = people::member_by_number(tx, "M2")?.expect("M2");
            let row = people::member(tx, other)?.expect("M2");
            assert!(people::wants_secrecy(tx, &vault, other, row.personal)?);
            for key in keys() {
                let card = CardText::number(MediumKind::Stripe, "66880001").expect("a number");
                let card = people::card_by_token(tx, key.token(&card))?.expect("every key knows the card");
                assert_eq!((card.member, card.tail.as_str()), (Some(found[0]), "0001"));
                let chip = CardText::uid(&[0x04, 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6]);
                let card = people::card_by_token(tx, key.token(&chip))?.expect("the chip card");
                assert_eq!((card.member, card.status), (Some(other), CardStatus::Lost));
            }
            let rows = tx.query(people::SQL.get("members_known"), &[])?;
            assert_eq!(rows.len(), 3);
            Ok(())
        };
        centre.db.read(check).await.expect("the books can be read");
    })
    .await;
}

#[tokio::test]
async fn guests_of_an_activity_are_named_by_number_and_stay_where_a_file_does_not_speak_of_them() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = Centre::new(db, folder.path()).await;
        centre.take(Kind::Offices, OFFICES).await;
        centre.take(Kind::Members, MEMBERS).await;
        let times = "2026-11-22 09:00,2026-11-22 10:00";
        let listed = format!("code,name_zh,starts,ends,guests\nH1,会,{times},M1；M2;M1\n");
        assert_eq!(counts(&centre.take(Kind::Activities, &listed).await), (1, 0, 0, 0, true));
        let wrong = centre.take(Kind::Activities, &listed.replace("M2", "M77")).await;
        assert_eq!((wrong.rejected, wrong.imported), (1, false));
        assert!(wrong.bad[0].to_string().contains("M77"), "{:?}", wrong.bad);
        let moved = format!("code,name_zh,starts,ends\nH1,晚会,{times}\n");
        assert_eq!(counts(&centre.take(Kind::Activities, &moved).await), (0, 1, 0, 0, true));
        let again = listed.replace("会,", "晚会,");
        assert_eq!(counts(&centre.take(Kind::Activities, &again).await), (0, 0, 1, 0, true), "they stayed");
        let nobody = format!("code,name_zh,starts,ends,guests\nH1,晚会,{times},\n");
        assert_eq!(
            counts(&centre.take(Kind::Activities, &nobody).await),
            (0, 1, 0, 0, true),
            "an empty cell"
        );
    })
    .await;
}

#[tokio::test]
async fn the_same_rows_again_change_nothing_and_the_same_file_is_refused() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = Centre::new(db, folder.path()).await;
        for (kind, text) in [
            (Kind::Offices, OFFICES),
            (Kind::Members, MEMBERS),
            (Kind::Cards, CARDS),
            (Kind::Activities, ACTIVITIES),
        ] {
            let first = centre.take(kind, text).await;
            let entries = centre.entries().await;
            let again = centre.try_take(asked(kind, text)).await.expect_err("refused by hash");
            assert!(matches!(again, ImportError::Again { .. }), "{again}");
            let forced = centre.try_take(Request { force: true, ..asked(kind, text) }).await.expect("forced");
            assert_eq!(counts(&forced), (0, 0, first.new, 0, true));
            assert_eq!(centre.entries().await, entries, "unchanged rows write no act");
        }
        let one = "会员编号,姓名,等级\nM1,欧阳静雯,白金会员\n";
        assert_eq!(counts(&centre.take(Kind::Members, one).await), (0, 1, 0, 0, true));
        let vault = centre.vault.clone();
        let check = move |tx: &mut Tx<'_>| -> Result<(), PeopleError> {
            let member = people::member_by_number(tx, "M1")?.expect("M1");
            let known = vault.reveal(tx, member)?.expect("known");
            assert_eq!(
                known.mobile.as_deref(),
                Some("13800138000"),
                "a column that is not there changes nothing"
            );
            Ok(())
        };
        centre.db.read(check).await.expect("the books can be read");
    })
    .await;
}

#[tokio::test]
async fn a_bad_row_stops_all_unless_the_good_ones_are_asked_for() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = Centre::new(db, folder.path()).await;
        let text = "number,name,mobile\nM1,张三,13800138000\nM2,李四,12345\nM2,王五,\n";
        let dry = centre.try_take(Request { dry_run: true, ..asked(Kind::Members, text) }).await.expect("read");
        assert_eq!(counts(&dry), (2, 0, 0, 1, false), "row 4 is the first M2 that can be read");
        assert_eq!(counts(&centre.take(Kind::Members, text).await), (2, 0, 0, 1, false));
        assert_eq!(centre.entries().await, 1, "nothing was taken");
        let partial = centre.try_take(Request { partial: true, ..asked(Kind::Members, text) }).await.expect("read");
        assert_eq!(counts(&partial), (2, 0, 0, 1, true));
        assert_eq!(partial.bad[0].to_string(), "row 3, column mobile: met \"*****\", expected 11 digits that begin with 13 to 19 (with or without +86), or + and a foreign number");
    })
    .await;
}

impl Centre {
    /// Plans a file, lets others act, and only then writes it.
    async fn take_late(&self, kind: Kind, text: &str, meanwhile: Act) {
        self.take_late_as(asked(kind, text), meanwhile).await;
    }

    pub(super) async fn take_late_as(&self, request: Request, meanwhile: Act) {
        let means = self.means();
        let sheet = read(request.kind, &request.bytes).expect("a sheet");
        let planned = plan(&means, &request, &sheet).await.expect("a plan");
        assert!(!planned.chunks.is_empty(), "the file changes something");
        let entry = EntryId(crate::random::bytes().expect("random bytes"));
        let act = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            acts::take(tx, entry, Noon.now(), &Actor::Command("admin".into()), &meanwhile).map(|_| ())
        };
        self.db.write(act).await.expect("an act");
        write(&means, &request, &planned.columns, planned.chunks).await.expect("written");
    }

    async fn card(&self, number: &str) -> CardSet {
        let token = self.keys[0].token(&CardText::number(MediumKind::Stripe, number).expect("a number"));
        let read = move |tx: &mut Tx<'_>| people::card_by_token(tx, token);
        self.db.read(read).await.expect("the books can be read").expect("a known card")
    }

    pub(super) async fn member(&self, number: &'static str) -> MemberSet {
        let read = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
            let id = people::member_by_number(tx, number)?.expect("a known number");
            people::member(tx, id)
        };
        self.db.read(read).await.expect("the books can be read").expect("a member")
    }
}

#[tokio::test]
async fn a_card_reported_lost_after_the_plan_stays_lost_where_the_file_has_no_status() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = Centre::new(db, folder.path()).await;
        centre.take(Kind::Members, MEMBERS).await;
        centre.take(Kind::Cards, CARDS).await;
        let lost = |card: &CardSet| {
            let (card, status) = (card.card, CardStatus::Lost);
            Act::CardStatusSet(CardStatusSet { card, status, reason: Hash([0; 32]) })
        };
        let before = centre.card("66880001").await;
        centre.take_late(Kind::Cards, "card,kind\n66880001,金卡\n", lost(&before)).await;
        let after = centre.card("66880001").await;
        assert_eq!((after.status, after.kind.as_str()), (CardStatus::Lost, "gold"));
        assert_eq!(after, CardSet { status: CardStatus::Lost, kind: "gold".into(), ..before });
        // A file that speaks of the status is obeyed: a person wrote it there.
        let stock = centre.card("66880003").await;
        let text = "card,member,status\n66880003,M2,在用\n";
        centre.take_late(Kind::Cards, text, lost(&stock)).await;
        assert_eq!(centre.card("66880003").await.status, CardStatus::Active);
    })
    .await;
}

#[tokio::test]
async fn a_member_stopped_after_the_plan_stays_stopped_where_the_file_has_no_status() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = Centre::new(db, folder.path()).await;
        centre.take(Kind::Members, MEMBERS).await;
        let before = centre.member("M1").await;
        let stopped = MemberSet { status: MemberStatus::Stopped, ..before.clone() };
        let text = "number,name,level_zh\nM1,欧阳静雯,白金会员\n";
        centre.take_late(Kind::Members, text, Act::MembersSet(vec![stopped])).await;
        let after = centre.member("M1").await;
        assert_eq!((after.member, after.status), (before.member, MemberStatus::Stopped));
        assert_eq!(after.level.expect("a level").zh, "白金会员");
    })
    .await;
}

#[tokio::test]
async fn rule_k13_x17_an_import_puts_its_edits_on_record_and_brings_nobody_back_who_was_erased() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = Centre::new(db, folder.path()).await;
        centre.take(Kind::Members, MEMBERS).await;
        let before = centre.member("M1").await;
        let (vault, row) = (centre.vault.clone(), before.clone());
        let phone = move |tx: &mut Tx<'_>| -> Result<(), PeopleError> {
            let mut personal = vault.reveal(tx, row.member)?.expect("known");
            personal.home_phone = Some("13900000001".to_owned());
            let personal = people::put_personal(tx, &vault, row.member, &personal, false, [3; 16])?;
            let act = Act::MembersSet(vec![MemberSet { personal, ..row.clone() }]);
            acts::take(tx, EntryId([9; 16]), Noon.now(), &Actor::Command("test".into()), &act)?;
            Ok(())
        };
        centre.db.write(phone).await.expect("written");
        let stood = centre.member("M1").await.personal;
        let text = "number,name,mobile\nM1,欧阳静雯,13911112222\n";
        assert_eq!(counts(&centre.take(Kind::Members, text).await), (0, 1, 0, 0, true));
        let (vault, member) = (centre.vault.clone(), before.member);
        let read = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
            Ok((vault.reveal(tx, member)?, details::edits(tx, member, details::FIRST_EDIT, 9)?))
        };
        let (personal, edits) = centre.db.read(read).await.expect("read");
        let phone = personal.and_then(|personal| personal.home_phone);
        assert_eq!(phone.as_deref(), Some("13900000001"), "no file speaks of it");
        let now = centre.member("M1").await.personal;
        let met: Vec<_> = edits.iter().map(|edit| (edit.what.as_str(), edit.before.clone())).collect();
        assert_eq!(met, [("mobile", Some(stood.to_string()))], "only what was edited");
        assert_eq!(edits[0].after, Some(now.to_string()));
        assert!(edits[0].by.starts_with("command/import members"), "{}", edits[0].by);

        let vault = centre.vault.clone();
        let erase = move |tx: &mut Tx<'_>| {
            let at = (EntryId([8; 16]), Noon.now());
            let of = (member, Hash([1; 32]));
            crate::store::erasure::erase(tx, &vault, at, &Actor::Command("test".into()), of)
        };
        assert!(centre.db.write(erase).await.expect("erased"));
        let all =
            Request { partial: true, ..asked(Kind::Members, "number,name\nM1,欧阳静雯\nM9,李雷\n") };
        let report = centre.try_take(all).await.expect("taken");
        assert_eq!(counts(&report), (1, 0, 0, 1, true));
        let vault = centre.vault.clone();
        let gone = centre.db.read(move |tx| vault.reveal(tx, member)).await.expect("read");
        assert!(gone.is_none(), "nobody comes back");
    })
    .await;
}

#[tokio::test]
async fn members_are_taken_in_acts_of_at_most_500() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = Centre::new(db, folder.path()).await;
        let rows: String = (0..501).map(|n| format!("M{n},张三\n")).collect();
        assert_eq!(centre.take(Kind::Members, &format!("number,name\n{rows}")).await.new, 501);
        assert_eq!(centre.entries().await, 1 + 2);
    })
    .await;
}

#[test]
fn a_file_is_utf8_or_gb18030_as_a_whole_and_says_which() {
    // As a Chinese spreadsheet writes it: 会员编号,姓名 and 张三.
    let gb = b"\xbb\xe1\xd4\xb1\xb1\xe0\xba\xc5,\xd0\xd5\xc3\xfb\nM1,\xd5\xc5\xc8\xfd\n";
    let sheet = read(Kind::Members, gb).expect("GB18030");
    assert_eq!((sheet.lines[0].get("name"), sheet.read_as), ("张三", "GB18030"));
    // A rare character of four bytes: 𠀀.
    let rare = b"number,name\nM1,\x95\x32\x82\x36\n";
    assert_eq!(read(Kind::Members, rare).expect("GB18030").lines[0].get("name"), "𠀀");
    let with = read(Kind::Members, "\u{feff}number,name\nM1,张三\n".as_bytes()).expect("a mark is no harm");
    assert_eq!((with.lines[0].get("name"), with.read_as), ("张三", "UTF-8"));
    let only = |encoding| Reading { encoding, ..Reading::default() };
    let error = sheet::read_as(Kind::Members, gb, &only(Encoding::Utf8)).expect_err("refused").to_string();
    assert!(error.starts_with("line 1 is not in the encoding"), "{error}");
    let neither = b"number,name\nM1,\xff\xff\n";
    assert!(
        matches!(read(Kind::Members, neither), Err(SheetError::Encoding { line: 2 })),
        "nothing is guessed"
    );
    assert!(matches!(read(Kind::Members, b"\xff\xfen\0"), Err(SheetError::Utf16)));
}

#[test]
fn a_header_is_checked_before_any_row() {
    let error = |text: &str| read(Kind::Members, text.as_bytes()).expect_err("refused").to_string();
    assert!(error("").starts_with("the file is empty"));
    assert!(
        error("number,nam\n").starts_with("column 2 of the header is \"nam\"; expected one of number, name")
    );
    assert_eq!(error("number,会员编号\n"), "column number stands twice, at 1 and 2 in the header");
    let both = error("number,nom,name,x\n");
    assert!(both.contains("column 2 of the header is \"nom\"; column 4 of the header is \"x\""), "{both}");
    assert_eq!(error("number\n"), "column name (姓名) is missing in the header");
}

#[tokio::test]
async fn rule_b02_a_level_in_a_file_is_given_to_who_was_here_before_from_that_day_on() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = Centre::new(db, folder.path()).await;
        centre.take(Kind::Members, MEMBERS).await;
        let text = ready::find("P").expect("shipped").text;
        let club: Scheme = toml::from_str(text).expect("a scheme");
        let policy = Policy { levels: Ladder::of(&club), ..Policy::default() };
        let set = move |tx: &mut Tx<'_>| {
            let (actor, act) = (Actor::Command("test".into()), Act::PolicySet(Box::new(policy.clone())));
            acts::take(tx, EntryId([9; 16]), Noon.now(), &actor, &act)
        };
        centre.db.write(set).await.expect("levels");
        centre.take(Kind::Members, "number,name,level_zh\nM2,古丽·买买提,金卡\nM9,新会员,金卡\n").await;
        let known = async |number: &'static str| {
            let id = centre.member(number).await.member;
            centre.db.read(move |tx| levels::level(tx, id)).await.expect("readable")
        };
        let given = known("M2").await.expect("given");
        assert_eq!((given.day.to_string().as_str(), given.standing.rank), ("2026-11-22", 1));
        assert_eq!(given.standing.until.map(|until| until.to_string()).as_deref(), Some("2026-12-31"));
        assert_eq!(known("M9").await, None, "who is new runs from joining");
    })
    .await;
}
