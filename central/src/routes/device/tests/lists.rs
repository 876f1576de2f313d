//! The directory and the priority lane.

use std::collections::BTreeMap;

use chrono::Datelike as _;
use hufu_shared::act::{Act, CardStatusSet, MemberDetailSet, MemberSet};
use hufu_shared::cbor;
use hufu_shared::ids::{CardId, Hash, MemberId, OccurrenceId};
use hufu_shared::member::{CardStatus, DirectoryRow, GuestRow, MemberStatus, OccurrenceRow, OccurrenceState};
use hufu_shared::time::{DAY_US, Day, Instant, OfficeClock};
use hufu_shared::wire::directory::{Delta, Manifest};
use hufu_shared::wire::health::Health;
use hufu_shared::wire::updates::{Updates, mark_echo};
use hufu_shared::wire::upload::{Became, ReceiptMark};
use hufu_shared::wire::version::Version;
use hyper::header::{CONTENT_RANGE, RANGE};

use super::kit::{Link, POINTS, SALON, Site, card, each, request};
use crate::store::{devices, watch};
use crate::vault::{Personal, Sex, VaultError};

/// A directory as a terminal holds it: rows by their identity.
#[derive(Debug, Default, PartialEq, Eq)]
struct Held {
    rows: BTreeMap<Vec<u8>, DirectoryRow>,
    version: Version,
}

impl Held {
    fn take(&mut self, rows: Vec<DirectoryRow>, version: Version) {
        for mut row in rows {
            let key = match &mut row {
                DirectoryRow::Member(member) => {
                    // When the centre reckoned differs by design.
                    member.points_at = Instant(0);
                    [b"m".as_slice(), &member.member.0].concat()
                }
                DirectoryRow::Card(card) => [b"c".as_slice(), &card.card.0].concat(),
                DirectoryRow::Office(office) => [b"o".as_slice(), &office.office.0].concat(),
                DirectoryRow::Occurrence(row) => [b"a".as_slice(), &row.occurrence.0].concat(),
                DirectoryRow::Scheme(terms) => [b"s".as_slice(), &terms.version.to_be_bytes()].concat(),
            };
            self.rows.insert(key, row);
        }
        self.version = version;
    }

    async fn snapshot(site: &Site, link: &mut Link) -> Self {
        let manifest: Manifest = link.get("/device/v1/directory/snapshot/manifest").await.unwrap().read();
        hufu_shared::keys::verify_centre(
            &site.app.keys.sign_public(),
            &manifest.message(),
            &manifest.signature,
        )
        .unwrap();
        let mut held = Self::default();
        for chunk in &manifest.chunks {
            let path = format!("/device/v1/directory/snapshot/{}", chunk.hash);
            let body = link.get(&path).await.unwrap().body;
            assert_eq!((Hash::of(&[&body]), body.len() as u64), (chunk.hash, chunk.bytes));
            let clear = zstd::decode_all(&body[..]).unwrap();
            let rows: Vec<DirectoryRow> = cbor::decode(&clear).unwrap();
            assert_eq!(rows.len(), chunk.rows as usize);
            held.take(rows, manifest.version);
        }
        held
    }

    /// Deltas until there is nothing more; answers how many it took.
    async fn catch_up(&mut self, link: &mut Link) -> usize {
        for taken in 1.. {
            let path = format!("/device/v1/directory?since={}", self.version);
            let delta: Delta = link.get(&path).await.unwrap().read();
            assert!(!delta.take_snapshot && delta.rows.len() <= 50, "{delta:?}");
            assert!(delta.from == self.version && delta.to >= delta.from);
            assert!(!delta.more || delta.to > delta.from);
            let more = delta.more;
            self.take(delta.rows, delta.to);
            if !more {
                return taken;
            }
        }
        0
    }
}

fn member(n: u16) -> MemberSet {
    let mut id = [0x77; 16];
    id[..2].copy_from_slice(&n.to_be_bytes());
    MemberSet {
        member: MemberId(id),
        number: format!("N{n}"),
        level: None,
        status: MemberStatus::Active,
        office: None,
        personal: Hash([0; 32]),
        joined: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_for_terminals_prepares_on_both_engines() {
    crate::db::testing::prepare_all(&[
        &devices::SQL,
        &crate::store::contact::SQL,
        &crate::store::directory::SQL,
    ])
    .await;
}

/// Drops what was packed, so that the next snapshot is made from scratch.
async fn forget_snapshots(site: &Site) {
    site.probe_write("forget_snapshots", vec![]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_13_a_directory_after_snapshot_and_deltas_is_the_one_from_scratch() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        let vault = site.app.vault.clone();
        let person = Personal { name: "欧阳娜娜".to_owned(), sex: Sex::Female, ..Personal::default() };
        let putting = person.clone();
        let put = move |tx: &mut crate::db::Tx<'_>| -> Result<(), VaultError> {
            vault.put(tx, MemberId([1; 16]), &putting)?;
            vault.put_text(tx, MemberId([1; 16]), Hash([1; 32]), b"a salt of 16 byt{\"secret\":false}")
        };
        site.app.db.write(put).await.unwrap();
        site.published().await;
        let mut link = terminal.connect(&site).await;
        let mut held = Held::snapshot(&site, &mut link).await;
        let DirectoryRow::Member(row) = &held.rows[&[b"m".as_slice(), &[1; 16]].concat()] else {
            panic!("a member")
        };
        assert_eq!(row.greeting.as_deref(), Some("欧阳女士"));
        assert_eq!(row.masked_name.as_deref(), Some("欧阳*娜"));
        assert_eq!(row.full_name, None);
        // More rows in one act than one delta may hold, a card blocked and found again, points, a plan ended.
        site.act(Act::MembersSet((1..=120).map(member).collect())).await;
        let blocked = |status| CardStatusSet { card: CardId([2; 16]), status, reason: Hash([0; 32]) };
        site.act(Act::CardStatusSet(blocked(CardStatus::Lost))).await;
        terminal.check_in(&site, 1);
        terminal.check_in(&site, 3);
        terminal.send_from(&site, 1).await;
        site.published().await;
        assert_eq!(held.catch_up(&mut link).await, 3);
        let dealer = MemberDetailSet {
            member: MemberId([1; 16]),
            kind: "dealer".to_owned(),
            referrer: None,
            representative: None,
            tags: None,
            reason: Hash([0; 32]),
        };
        site.acts(vec![
            Act::CardStatusSet(blocked(CardStatus::Active)),
            Act::OccurrenceSet(site.salon(OccurrenceState::Ended)),
            Act::MembersSet(vec![MemberSet { status: MemberStatus::Left, ..member(7) }]),
            Act::MemberDetailSet(dealer),
        ])
        .await;
        site.published().await;
        assert_eq!(held.catch_up(&mut link).await, 1);
        let DirectoryRow::Member(row) = &held.rows[&[b"m".as_slice(), &[1; 16]].concat()] else {
            panic!("a member")
        };
        assert_eq!(row.points.0, POINTS);
        assert_eq!(row.kind_code(), "dealer", "a version of the scheme may be for this kind");
        forget_snapshots(&site).await;
        let scratch = Held::snapshot(&site, &mut link).await;
        assert_eq!(held, scratch);
        assert_eq!(held.rows.len(), 1 + 1 + 1 + 9 + 120 + 9);
    })
    .await;
}

/// A terminal hears whom it may congratulate on the day of an activity, and no other birthday of anybody.
#[tokio::test(flavor = "multi_thread")]
async fn goal_g24_guests_of_an_activity_come_with_a_mark_for_a_birthday_and_with_no_day() {
    each(|site| async move {
        let terminal = site.terminal("one").await;
        let today = OfficeClock::default().business_day(site.app.now());
        // A leap year has every day.
        let date = today.date().and_then(|date| date.with_year(1988)).unwrap();
        let born = move |n: u8| Day::from_date(date).plus(if n == 3 { 40 } else { 0 });
        let vault = site.app.vault.clone();
        let put = move |tx: &mut crate::db::Tx<'_>| -> Result<(), VaultError> {
            for n in 1..=3_u8 {
                let person =
                    Personal { name: "王伟".to_owned(), birthday: Some(born(n)), ..Personal::default() };
                vault.put(tx, MemberId([n; 16]), &person)?;
                let terms = format!("a salt of 16 byt{{\"secret\":{}}}", n == 2);
                vault.put_text(tx, MemberId([n; 16]), Hash([n; 32]), terms.as_bytes())?;
            }
            Ok(())
        };
        site.app.db.write(put).await.unwrap();
        let guests = (1..=3)
            .map(|n| GuestRow { member: MemberId([n; 16]), birthday: false, companions: None })
            .collect();
        let party = OccurrenceRow { guests, ..site.salon(OccurrenceState::Approved) };
        let over = OccurrenceRow {
            occurrence: OccurrenceId([0x5d; 16]),
            starts: party.starts.offset(-30 * DAY_US),
            ends: party.ends.offset(-30 * DAY_US),
            ..party.clone()
        };
        site.acts(vec![Act::OccurrenceSet(party), Act::OccurrenceSet(over)]).await;
        site.published().await;
        let mut link = terminal.connect(&site).await;
        let held = Held::snapshot(&site, &mut link).await;
        let rows = held.rows.values().filter_map(|row| match row {
            DirectoryRow::Occurrence(row) => Some((row.occurrence, &row.guests)),
            _ => None,
        });
        for (occurrence, guests) in rows {
            let marks: Vec<bool> = guests.iter().map(|guest| guest.birthday).collect();
            let expected: &[bool] = if occurrence == SALON { &[true, false, false] } else { &[] };
            assert_eq!(marks, expected, "the second asked for secrecy; what is over names nobody");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_too_old_or_of_another_life_is_taken_as_a_snapshot() {
    each(|site| async move {
        let terminal = site.terminal("one").await;
        site.published().await;
        let mut link = terminal.connect(&site).await;
        for since in ["0.0", "1.0", "2.5", "1.99999"] {
            let delta: Delta = link.get(&format!("/device/v1/directory?since={since}")).await.unwrap().read();
            assert!(delta.take_snapshot && delta.rows.is_empty(), "{since}");
        }
        let answer = link.get("/device/v1/directory?since=newest").await.unwrap();
        assert!(answer.problem().1.detail.contains("newest"));
        assert_eq!(link.get("/device/v1/directory").await.unwrap().status, 400);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_can_be_fetched_from_any_byte_on() {
    each(|site| async move {
        let terminal = site.terminal("one").await;
        site.published().await;
        let mut link = terminal.connect(&site).await;
        let manifest: Manifest = link.get("/device/v1/directory/snapshot/manifest").await.unwrap().read();
        let again: Manifest = link.get("/device/v1/directory/snapshot/manifest").await.unwrap().read();
        assert_eq!(manifest, again, "packed once");
        let path = format!("/device/v1/directory/snapshot/{}", manifest.chunks[0].hash);
        let whole = link.get(&path).await.unwrap().body;
        for from in [1, whole.len() / 2, whole.len() - 1] {
            let ranged = request("GET", &path).header(RANGE, format!("bytes={from}-"));
            let answer = link.send(ranged.body(http_body_util::Full::default()).unwrap()).await.unwrap();
            assert_eq!(answer.status, 206);
            assert_eq!(
                answer.headers[CONTENT_RANGE],
                format!("bytes {from}-{}/{}", whole.len() - 1, whole.len())
            );
            assert_eq!(answer.body, whole[from..]);
        }
        let beyond = request("GET", &path).header(RANGE, format!("bytes={}-", whole.len()));
        let answer = link.send(beyond.body(http_body_util::Full::default()).unwrap()).await.unwrap();
        assert_eq!(answer.status, 416);
        let none = link.get(&format!("/device/v1/directory/snapshot/{}", Hash([0; 32]))).await.unwrap();
        assert_eq!(none.status, 404);
    })
    .await;
}

fn updates_path(directory: Version, block: Version, notices: u64, wait_ms: u32) -> String {
    format!(
        "/device/v1/updates?directory={directory}&block={block}&notices={notices}&wait_ms={wait_ms}&queued=3"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_says_with_its_poll_how_ready_it_is_and_a_strange_text_says_nothing() {
    each(|site| async move {
        let terminal = site.terminal("one").await;
        let mut link = terminal.connect(&site).await;
        let zero = Version { epoch: 1, n: 0 };
        let known = || async {
            let lines = site.app.db.read(devices::list).await.expect("readable");
            lines.into_iter().find_map(|line| line.contact).expect("in contact").readiness
        };
        let mut said = async |ready: &str| {
            let path = format!("{}{ready}", updates_path(zero, zero, 0, 0));
            assert_eq!(link.get(&path).await.unwrap().status, 200, "{ready}");
        };
        said("&ready=directory.look.1795320000000000,disk.ready,moon.bad~places,tides").await;
        let ready = known().await.expect("said");
        assert_eq!(ready.to_query(), "directory.look.1795320000000000,disk.ready~places");
        said(&format!("&ready={}~", "%3Cb%3E".repeat(300))).await;
        assert_eq!(known().await, None, "what it says is what it said last");
        said("&ready=disk.bad~").await;
        assert!(known().await.is_some());
        said("").await;
        assert_eq!(known().await, None, "a terminal before this says nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_says_with_its_poll_how_it_is_and_the_quarter_in_which_it_did_is_kept() {
    each(|site| async move {
        let terminal = site.terminal("one").await;
        let mut link = terminal.connect(&site).await;
        let zero = Version { epoch: 1, n: 0 };
        let path = updates_path(zero, zero, 0, 0);
        let contact = || async {
            let lines = site.app.db.read(devices::list).await.expect("readable");
            let contact = lines.into_iter().find_map(|line| line.contact).expect("in contact");
            (contact.health, contact.software)
        };
        let software = Some("9.8.7".to_owned());
        let health = Health { software, clock_us: Some(-12), ..Health::default() };
        let said = link.get(&format!("{path}&health={}", health.to_query())).await.unwrap();
        assert_eq!(said.status, 200);
        assert_eq!(contact().await, (Some(health), "9.8.7".to_owned()));
        assert_eq!(link.get(&format!("{path}&health=moon")).await.unwrap().status, 200);
        assert_eq!(contact().await, (None, "9.8.7".to_owned()), "its version stays until it says another");
        let now = site.app.now();
        let heard = site.app.db.read(move |tx| watch::of_day(tx, None, now)).await.expect("readable");
        assert_eq!(heard.len(), 1);
        assert!(heard.values().all(|quarters| (1..=2).contains(&quarters.len())), "{heard:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_priority_lane_waits_wakes_and_never_passes_its_size() {
    each(|site| async move {
        let terminal = site.terminal("one").await;
        site.published().await;
        let mut link = terminal.connect(&site).await;
        let zero = Version { epoch: 1, n: 0 };
        let first: Updates = link.get(&updates_path(zero, zero, 0, 0)).await.unwrap().read();
        assert!(first.blocks.is_empty(), "new cards in use are no blocks");
        hufu_shared::keys::verify_centre(
            &site.app.keys.sign_public(),
            &first.mark.message(),
            &first.mark.signature,
        )
        .unwrap();
        // Nothing new: held until the time is over.
        let idle: Updates =
            link.get(&updates_path(first.directory, first.block, 0, 300)).await.unwrap().read();
        assert_eq!((idle.directory, idle.block), (first.directory, first.block));
        // A block wakes it.
        let path = updates_path(first.directory, first.block, 0, 15_000);
        let held = tokio::spawn(async move {
            let answer = link.get(&path).await.unwrap();
            (answer, link)
        });
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        site.act(Act::CardsSet((100..=199).map(|n| card(n, CardStatus::Lost)).collect())).await;
        let (answer, mut link) =
            tokio::time::timeout(std::time::Duration::from_secs(5), held).await.expect("woken").unwrap();
        assert!(answer.body.len() <= 4096);
        let mut updates: Updates = answer.read();
        let (mut met, mut at) = (Vec::new(), first.block);
        loop {
            met.extend(updates.blocks.iter().map(|change| (change.card, change.status)));
            assert!(updates.block > at);
            at = updates.block;
            if !updates.more {
                break;
            }
            let answer = link.get(&updates_path(first.directory, at, 0, 0)).await.unwrap();
            assert!(answer.body.len() <= 4096);
            updates = answer.read();
        }
        let expected: Vec<_> = (100..=199).map(|n| (CardId([n; 16]), CardStatus::Lost)).collect();
        assert_eq!(met, expected);
        // Found again: told as well.
        let found =
            CardStatusSet { card: CardId([150; 16]), status: CardStatus::Active, reason: Hash([0; 32]) };
        site.act(Act::CardStatusSet(found)).await;
        site.published().await;
        let updates: Updates = link.get(&updates_path(first.directory, at, 0, 0)).await.unwrap().read();
        assert_eq!(updates.blocks.len(), 1);
        assert_eq!(
            (updates.blocks[0].card, updates.blocks[0].status),
            (CardId([150; 16]), CardStatus::Active)
        );
        let lines = site.app.db.read(devices::list).await.unwrap();
        let contact = lines[0].contact.as_ref().unwrap();
        assert_eq!((contact.queued, contact.block, contact.software.as_str()), (3, at, "test 1"));
        assert_eq!((lines[0].name.as_str(), lines[0].status.code()), ("one", "active"));
        assert_eq!(lines[0].office_words.as_ref().unwrap().0, "A01");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_27_the_losing_terminal_is_told_by_a_notice() {
    each(|site| async move {
        let mut one = site.terminal("one").await;
        let mut two = site.terminal("two").await;
        two.check_in(&site, 1);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        one.check_in(&site, 1);
        // The later one arrives first and is admitted; then the earlier one takes its place.
        let first = one.send_from(&site, 1).await;
        assert_eq!(first.result.dispositions, []);
        two.send_from(&site, 1).await;
        let version = Version { epoch: 1, n: 0 };
        let mut link = one.connect(&site).await;
        let updates: Updates = link.get(&updates_path(version, version, 0, 0)).await.unwrap().read();
        let notice = updates.notices.first().expect("a notice");
        assert_eq!((notice.n, notice.disposition.seq, notice.disposition.kind), (1, 2, Some(27)));
        assert!(matches!(notice.disposition.became, Became::NoEffect | Became::AppliedWithCase));
        assert_eq!(notice.other_office.as_deref(), Some("A01"));
        let after: Updates = link.get(&updates_path(version, version, 1, 0)).await.unwrap().read();
        assert!(after.notices.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_with_nothing_to_send_finds_out_that_the_centre_was_rolled_back() {
    each(|site| async move {
        let (mut one, other) = (site.terminal("one").await, site.terminal("two").await);
        one.send_from(&site, 1).await;
        site.published().await;
        let zero = Version { epoch: 1, n: 0 };
        let mut link = one.connect(&site).await;
        let mut poll = async |mark: Option<ReceiptMark>| -> ReceiptMark {
            let echo = mark.map(|mark| format!("&echo={}", mark_echo(&mark).expect("short")));
            let path = updates_path(zero, zero, 0, 0) + &echo.unwrap_or_default();
            link.get(&path).await.unwrap().read::<Updates>().mark
        };
        let signed = |mut mark: ReceiptMark| {
            mark.signature = site.app.keys.sign(&mark.message()).to_vec();
            mark
        };
        let told = poll(None).await;
        assert_eq!(told.acked_seq, 1);
        let innocent = [
            told.clone(),
            // Another terminal's cursor, and a mark that this centre never signed.
            signed(ReceiptMark { device: other.device, acked_seq: 9, ..told.clone() }),
            ReceiptMark { journal_size: told.journal_size + 1, ..told.clone() },
        ];
        for mark in innocent {
            assert_eq!(poll(Some(mark)).await.central_epoch, told.central_epoch);
        }
        let lost = signed(ReceiptMark { acked_seq: 2, ..told.clone() });
        let second = poll(Some(lost)).await;
        assert_eq!((second.central_epoch.n, second.acked_seq), (2, 1));
        // The same proof again proves nothing new.
        assert_eq!(poll(Some(told)).await.central_epoch, second.central_epoch);
        let ahead = signed(ReceiptMark { journal_size: second.journal_size + 10, ..second.clone() });
        assert_eq!(poll(Some(ahead)).await.central_epoch.n, 3);
    })
    .await;
}
