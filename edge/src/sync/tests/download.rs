//! The priority lane and the directory, against answers that are right, foreign, forged, cut or blown up.

use std::collections::HashMap;
use std::fs;
use std::sync::Mutex;

use hufu_shared::cbor;
use hufu_shared::fact::{CardReplaced, Event, Subject};
use hufu_shared::ids::{CardId, ClubId, CommandId, Hash, MemberId, OfficeId};
use hufu_shared::member::{CardRow, CardStatus, DirectoryRow};
use hufu_shared::time::Instant;
use hufu_shared::token::{MediumKind, Token};
use hufu_shared::wire::directory::{CHUNK_BYTES_MAX, Chunk, Delta, Manifest};
use hufu_shared::wire::health::Health;
use hufu_shared::wire::problem::ProblemKind;
use hufu_shared::wire::readiness::{Grade, Item, Part, Readiness, Unenforced};
use hufu_shared::wire::updates::{BlockChange, Notice, mark_echo};
use hufu_shared::wire::upload::{Became, Command, Disposition, Order};
use hufu_shared::wire::version::{CentralEpoch, Version};

use super::bench::Bench;
use super::ca::{CLUB, EPOCH, OFFICE};
use super::centre::{Reply, Seen};
use super::model::play;
use crate::rules::member_plan::Refusal;
use crate::store::StoreError;
use crate::sync::client::CentreError;
use crate::sync::download::{DirectoryLane, DownloadError, UpdatesLane};

pub(super) fn v(n: u64) -> Version {
    Version { epoch: EPOCH.n, n }
}

fn token(n: u8) -> Token {
    Token { key_version: 1, hash: [n; 16] }
}

pub(super) fn card(n: u8, status: CardStatus) -> DirectoryRow {
    DirectoryRow::Card(CardRow {
        card: CardId([n; 16]),
        token: token(n),
        member: None,
        status,
        valid_from: None,
        valid_until: None,
        tail: format!("{n:04}"),
        sub: false,
    })
}

fn block(n: u8) -> BlockChange {
    BlockChange { card: CardId([n; 16]), token: token(n), status: CardStatus::Lost }
}

pub(super) fn updates_lane(bench: &Bench) -> UpdatesLane {
    UpdatesLane::new(bench.store.clone(), bench.directory.clone(), bench.shared.clone(), bench.known())
}

pub(super) fn directory_lane(bench: &Bench) -> DirectoryLane {
    let files = (bench.store.clone(), bench.directory.clone());
    DirectoryLane::new(files, bench.shared.clone(), bench.known(), (CLUB, OFFICE), bench.dir.path())
}

fn blocked(bench: &Bench, n: u8) -> Option<CardStatus> {
    bench.store.with(|journal| Ok(journal.blocked(&token(n)))).expect("readable")
}

#[tokio::test]
async fn blocks_and_notices_are_taken_and_the_next_poll_says_so() {
    let bench = Bench::new();
    {
        let mut model = bench.model.lock().expect("no panic before");
        (model.block, model.blocks) = (v(2), vec![block(1), block(2)]);
        let disposition = Disposition { seq: 1, became: Became::Held, kind: Some(13), case: None };
        let other = (Some("SH02".to_owned()), Some(Instant(7)));
        model.notices =
            vec![Notice { n: 1, epoch: 1, disposition, other_office: other.0, other_at: other.1 }];
    }
    let played = bench.play(play(&bench.model)).await;
    let (mut lane, channel) = (updates_lane(&bench), bench.channel(&played));
    assert!(lane.poll(&channel, 0).await.expect("an answer").news);
    assert_eq!(blocked(&bench, 1), Some(CardStatus::Lost));
    assert_eq!((bench.state().block, bench.state().notices_n), (v(2), 1));
    let open = bench.store.with(|journal| journal.open_notices()).expect("readable");
    assert_eq!((open.len(), open[0].other_office.as_deref()), (1, Some("SH02")));
    lane.poll(&channel, 0).await.expect("an answer");
    let (first, path) = (&played.seen()[0].path, &played.seen()[1].path);
    assert!(!first.contains("echo"), "nothing is known yet: {first}");
    let mark = bench.model.lock().expect("no panic before").mark();
    let echo = mark_echo(&mark).expect("a short mark");
    let asked = "/device/v1/updates?directory=1.0&block=1.2&notices=1&wait_ms=0&queued=1";
    assert_eq!(path, &format!("{asked}&echo={echo}"), "the centre is shown its own newest mark");
    assert_eq!(bench.store.with(|journal| journal.open_notices()).expect("readable").len(), 1, "told once");
    assert!(bench.run.link.borrow().online && bench.run.link.borrow().last_sync.is_some());
}

#[tokio::test]
async fn the_centre_hears_with_each_poll_how_ready_the_terminal_is() {
    let bench = Bench::new();
    let played = bench.play(play(&bench.model)).await;
    let (mut lane, channel) = (updates_lane(&bench), bench.channel(&played));
    lane.poll(&channel, 0).await.expect("an answer");
    let disk = Part { item: Item::Disk, grade: Grade::Bad, until: None };
    let ready = Readiness { parts: vec![disk], unenforced: vec![Unenforced::Places] };
    bench.run.ready.send_replace(Some(ready));
    lane.poll(&channel, 0).await.expect("an answer");
    let said: Vec<bool> = played.seen().iter().map(|seen| seen.path.contains("&ready=")).collect();
    assert_eq!(said, [false, true], "nothing is said before the loop looked");
    assert!(played.seen()[1].path.ends_with("&ready=disk.bad~places"), "{}", played.seen()[1].path);
}

#[tokio::test]
async fn the_centre_hears_with_each_poll_how_the_terminal_is() {
    let bench = Bench::new();
    let played = bench.play(play(&bench.model)).await;
    let (mut lane, channel) = (updates_lane(&bench), bench.channel(&played));
    lane.poll(&channel, 0).await.expect("an answer");
    let health = Health { used_percent: Some(7), clock_us: Some(-12), ..Health::default() };
    bench.run.health.send_replace(Some(health.clone()));
    lane.poll(&channel, 0).await.expect("an answer");
    let paths: Vec<String> = played.seen().iter().map(|seen| seen.path.clone()).collect();
    assert!(!paths[0].contains("health="), "nothing is said before the loop looked: {}", paths[0]);
    let said = paths[1].split_once("&health=").expect("said").1;
    assert_eq!(Health::from_query(said), Some(health));
}

#[tokio::test]
async fn threat_t06_nothing_is_taken_without_the_centres_signature() {
    let bench = Bench::new();
    let model = bench.model.clone();
    let played = bench
        .play(move |_| {
            let mut model = model.lock().expect("no panic before");
            (model.block, model.blocks) = (v(2), vec![block(1)]);
            let mut forged = model.updates();
            forged.mark.block = v(9);
            Reply::cbor(&forged)
        })
        .await;
    let error = updates_lane(&bench).poll(&bench.channel(&played), 0).await.expect_err("refused");
    assert!(matches!(error, DownloadError::Mark), "{error}");
    assert_eq!((blocked(&bench, 1), bench.state().block), (None, Version::default()));
}

#[tokio::test]
async fn a_new_life_of_the_centre_is_stored_first_and_an_old_one_is_refused() {
    let bench = Bench::new();
    let newer = CentralEpoch { n: 2, bits: 5 };
    {
        let mut model = bench.model.lock().expect("no panic before");
        model.epoch = newer;
        (model.block, model.blocks) = (Version { epoch: 2, n: 3 }, vec![block(1)]);
    }
    let played = bench.play(play(&bench.model)).await;
    let (mut lane, channel) = (updates_lane(&bench), bench.channel(&played));
    assert!(lane.poll(&channel, 0).await.expect("an answer").more);
    assert_eq!((bench.state().central_epoch, bench.state().block), (Some(newer), Version { epoch: 2, n: 0 }));
    assert_eq!(blocked(&bench, 1), None, "asked for anew, from the start of the new list");
    lane.poll(&channel, 0).await.expect("an answer");
    assert!(played.seen()[1].path.contains("block=2.0"));
    assert_eq!(blocked(&bench, 1), Some(CardStatus::Lost));
    bench.model.lock().expect("no panic before").epoch = EPOCH;
    let error = lane.poll(&channel, 0).await.expect_err("an older life");
    assert!(matches!(error, DownloadError::OlderEpoch { met: 1, learned: 2 }), "{error}");
}

#[tokio::test]
async fn blocks_that_a_rolled_back_centre_forgot_end_once_its_new_list_was_read_whole() {
    let bench = Bench::new();
    {
        let mut model = bench.model.lock().expect("no panic before");
        (model.block, model.blocks) = (v(2), vec![block(1), block(2)]);
    }
    let played = bench.play(play(&bench.model)).await;
    let (mut lane, channel) = (updates_lane(&bench), bench.channel(&played));
    lane.poll(&channel, 0).await.expect("an answer");
    {
        let mut model = bench.model.lock().expect("no panic before");
        model.epoch = CentralEpoch { n: 2, bits: 5 };
        (model.block, model.blocks, model.more) = (Version { epoch: 2, n: 1 }, vec![block(1)], true);
    }
    lane.poll(&channel, 0).await.expect("the new epoch is stored first");
    lane.poll(&channel, 0).await.expect("half of the list");
    assert_eq!(blocked(&bench, 2), Some(CardStatus::Lost), "it may be in the other half");
    {
        let mut model = bench.model.lock().expect("no panic before");
        (model.block, model.blocks, model.more) = (Version { epoch: 2, n: 2 }, vec![block(3)], false);
    }
    lane.poll(&channel, 0).await.expect("the other half");
    let held = [1, 2, 3].map(|n| blocked(&bench, n));
    assert_eq!(held, [Some(CardStatus::Lost), None, Some(CardStatus::Lost)]);
    let bench = bench.restart();
    let held = [1, 2, 3].map(|n| blocked(&bench, n));
    assert_eq!(held, [Some(CardStatus::Lost), None, Some(CardStatus::Lost)], "as on the disk");
}

/// A centre's directory: a manifest, its chunks, deltas by the version they start from.
#[derive(Clone)]
pub(super) struct Shelf {
    manifest: Manifest,
    chunks: HashMap<String, Vec<u8>>,
    deltas: HashMap<String, Delta>,
}

pub(super) fn shelf(bench: &Bench, version: Version, chunks: &[Vec<DirectoryRow>]) -> Shelf {
    let packed: Vec<Vec<u8>> =
        chunks.iter().map(|rows| zstd::bulk::compress(&cbor::encode(rows), 1).expect("packed")).collect();
    let named = packed.iter().zip(chunks).map(|(bytes, rows)| Chunk {
        hash: Hash::of(&[bytes]),
        bytes: bytes.len() as u64,
        rows: u32::try_from(rows.len()).expect("few"),
    });
    let mut manifest = Manifest {
        club: CLUB,
        central_epoch: EPOCH,
        version,
        block: v(0),
        made_at: Instant(1),
        scope: OFFICE,
        chunks: named.collect(),
        signature: Vec::new(),
    };
    manifest.signature = bench.ca.sign(&manifest.message());
    let chunks = packed.into_iter().map(|bytes| (Hash::of(&[&bytes]).to_string(), bytes)).collect();
    Shelf { manifest, chunks, deltas: HashMap::new() }
}

impl Shelf {
    fn sign(&mut self, bench: &Bench) {
        self.manifest.signature.clear();
        self.manifest.signature = bench.ca.sign(&self.manifest.message());
    }

    fn answer(&self, seen: &Seen) -> Reply {
        if let Some(hash) = seen.path.strip_prefix("/device/v1/directory/snapshot/") {
            return match self.chunks.get(hash) {
                Some(bytes) => Reply::Bytes(bytes.clone()),
                None if hash == "manifest" => Reply::cbor(&self.manifest),
                None => Reply::Problem(ProblemKind::NotFound.problem("no such chunk"), None),
            };
        }
        match seen.path.strip_prefix("/device/v1/directory?since=").and_then(|since| self.deltas.get(since)) {
            Some(delta) => Reply::cbor(delta),
            None => Reply::Problem(ProblemKind::NotFound.problem("no such delta"), None),
        }
    }
}

pub(super) async fn refresh(bench: &Bench, shelf: &Shelf, published: Version) -> Result<(), DownloadError> {
    let shelf = shelf.clone();
    let played = bench.play(move |seen| shelf.answer(seen)).await;
    bench.shared.publish(published);
    directory_lane(bench).refresh(&bench.channel(&played)).await
}

pub(super) fn holds(bench: &Bench, n: u8) -> Option<CardStatus> {
    bench.directory.find(&[token(n)]).expect("readable").map(|known| known.card.status)
}

pub(super) fn two_chunks() -> [Vec<DirectoryRow>; 2] {
    [
        (0..100).map(|n| card(n, CardStatus::Active)).collect(),
        (100..150).map(|n| card(n, CardStatus::Active)).collect(),
    ]
}

#[tokio::test]
async fn inv_13_a_snapshot_then_deltas_give_what_a_later_snapshot_gives() {
    let (bench, fresh) = (Bench::new(), Bench::new());
    let mut with_deltas = shelf(&bench, v(5), &two_chunks());
    let delta = |from: u64, to: u64, rows: Vec<DirectoryRow>, more: bool| Delta {
        club: CLUB,
        from: v(from),
        to: v(to),
        rows,
        more,
        take_snapshot: false,
    };
    let first = delta(5, 6, vec![card(3, CardStatus::Stopped), card(200, CardStatus::Active)], true);
    let second = delta(6, 8, vec![card(3, CardStatus::Active), card(4, CardStatus::Void)], false);
    with_deltas.deltas.insert("1.5".to_owned(), first);
    with_deltas.deltas.insert("1.6".to_owned(), second);
    refresh(&bench, &with_deltas, v(5)).await.expect("a snapshot");
    assert_eq!(bench.directory.version(), v(5));
    assert!(bench.store.with(|journal| Ok(journal.directory_at())).expect("readable").is_some());
    refresh(&bench, &with_deltas, v(8)).await.expect("deltas");
    assert_eq!(bench.directory.version(), v(8));

    let [mut rows, more] = two_chunks();
    rows[4] = card(4, CardStatus::Void);
    rows.push(card(200, CardStatus::Active));
    refresh(&fresh, &shelf(&fresh, v(8), &[rows, more]), v(8)).await.expect("a snapshot");
    for n in 0..=255 {
        assert_eq!(holds(&bench, n), holds(&fresh, n), "card {n}");
    }
    assert!(!bench.dir.path().join("snapshot").exists(), "chunks are cleared away");
}

#[tokio::test]
async fn a_snapshot_is_resumed_where_the_line_broke() {
    let bench = Bench::new();
    let shelf = shelf(&bench, v(5), &two_chunks());
    let (answers, calls) = (shelf.clone(), Mutex::new(0));
    let played = bench
        .play(move |seen| {
            let mut calls = calls.lock().expect("no panic before");
            *calls += 1;
            match answers.answer(seen) {
                Reply::Bytes(bytes) if *calls == 3 => Reply::Truncated(bytes),
                other => other,
            }
        })
        .await;
    bench.shared.publish(v(5));
    let (mut lane, channel) = (directory_lane(&bench), bench.channel(&played));
    let broken = lane.refresh(&channel).await.expect_err("a broken line");
    assert!(matches!(broken, DownloadError::Centre(CentreError::Unreachable { .. })), "{broken}");
    assert_eq!(bench.directory.version(), Version::default());
    lane.refresh(&channel).await.expect("the rest");
    assert_eq!(bench.directory.version(), v(5));
    let (first, second) = (&shelf.manifest.chunks[0], &shelf.manifest.chunks[1]);
    let asked = |chunk: &Chunk| played.seen_at(&format!("/device/v1/directory/snapshot/{}", chunk.hash));
    assert_eq!(asked(first).len(), 1, "what was there is not fetched again");
    let again = asked(second);
    assert_eq!(again.len(), 2);
    assert!(again[1].range_from > 0 && again[1].range_from < second.bytes, "{}", again[1].range_from);
}

/// Gives card 9 to member 1 in place of card 1.
fn give(bench: &Bench) -> u64 {
    let subject = Subject {
        token: token(1),
        member: Some(MemberId([1; 16])),
        reader: 0,
        medium: MediumKind::Uid,
        code: None,
    };
    bench.record(Event::CardReplaced(CardReplaced { subject, card: token(9), medium: MediumKind::Uid }))
}

fn given(bench: &Bench) -> usize {
    bench.store.with(|journal| Ok(journal.given_cards())).expect("readable").len()
}

#[tokio::test]
async fn rule_h05_what_a_terminal_remembers_of_a_card_it_gave_goes_once_the_directory_says_whose_it_is() {
    let mut bench = Bench::new();
    give(&bench);
    refresh(&bench, &shelf(&bench, v(5), &two_chunks()), v(5)).await.expect("a snapshot");
    assert_eq!(given(&bench), 1, "in stock, as far as the directory knows");
    let mut later = shelf(&bench, v(5), &two_chunks());
    let DirectoryRow::Card(row) = card(9, CardStatus::Active) else { panic!("a card") };
    let rows = vec![DirectoryRow::Card(CardRow { member: Some(MemberId([1; 16])), ..row })];
    let delta = Delta { club: CLUB, from: v(5), to: v(6), rows, more: false, take_snapshot: false };
    later.deltas.insert("1.5".to_owned(), delta);
    refresh(&bench, &later, v(6)).await.expect("a delta");
    assert_eq!(given(&bench), 0);
    bench = bench.restart();
    assert_eq!(given(&bench), 0, "also after a start");
}

#[tokio::test]
async fn kind_14_a_card_that_a_person_took_back_is_not_its_members_here_any_more() {
    let bench = Bench::new();
    let seq = give(&bench);
    let notice = |n, became| Notice {
        n,
        epoch: bench.identity.enrolment.epoch,
        disposition: Disposition { seq, became, kind: None, case: None },
        other_office: None,
        other_at: None,
    };
    let take = |notice| bench.store.with(|journal| journal.take_notices(&[notice])).expect("taken");
    take(notice(1, Became::AppliedWithCase));
    assert_eq!(given(&bench), 1);
    take(notice(2, Became::NoEffect));
    assert_eq!(given(&bench), 0);
}

#[tokio::test]
async fn case_33_a_chunk_that_is_not_the_one_named_is_thrown_away() {
    let bench = Bench::new();
    let good = shelf(&bench, v(5), &two_chunks());
    let mut bad = good.clone();
    let name = good.manifest.chunks[1].hash.to_string();
    bad.chunks.get_mut(&name).expect("there")[20] ^= 1;
    let error = refresh(&bench, &bad, v(5)).await.expect_err("refused");
    assert!(matches!(error, DownloadError::Refused(Refusal::ChunkHash { .. })), "{error}");
    let mut long = good.clone();
    long.chunks.get_mut(&name).expect("there").push(0);
    let error = refresh(&bench, &long, v(5)).await.expect_err("refused");
    assert!(matches!(error, DownloadError::Centre(CentreError::TooLarge { .. })), "{error}");
    let parts = fs::read_dir(bench.dir.path().join("snapshot")).expect("the folder");
    assert_eq!(parts.count(), 1, "only the good chunk stays");
    assert_eq!(bench.directory.version(), Version::default());
    refresh(&bench, &good, v(5)).await.expect("the right bytes");
    assert_eq!(holds(&bench, 120), Some(CardStatus::Active));
}

#[tokio::test]
async fn case_51_a_chunk_that_blows_up_is_refused() {
    let bench = Bench::new();
    let mut bomb = shelf(&bench, v(5), &two_chunks());
    let packed = zstd::bulk::compress(&vec![0_u8; CHUNK_BYTES_MAX * 4], 1).expect("packed");
    assert!(packed.len() < CHUNK_BYTES_MAX / 100);
    let hash = Hash::of(&[&packed]);
    bomb.manifest.chunks[1] = Chunk { hash, bytes: packed.len() as u64, rows: 50 };
    bomb.chunks.insert(hash.to_string(), packed);
    bomb.sign(&bench);
    let error = refresh(&bench, &bomb, v(5)).await.expect_err("refused");
    assert!(
        matches!(&error, DownloadError::Store(StoreError::Snapshot { detail }) if detail.contains("unpack"))
    );
    assert_eq!(bench.directory.version(), Version::default());
}

#[tokio::test]
async fn threat_t06_a_foreign_or_forged_directory_leaves_the_one_held() {
    let bench = Bench::new();
    let good = shelf(&bench, v(5), &two_chunks());
    refresh(&bench, &good, v(5)).await.expect("a snapshot");
    type Change = fn(&mut Manifest);
    let changes: [(Change, &str); 3] = [
        (|manifest| manifest.club = ClubId([0x66; 16]), "this terminal belongs to club"),
        (|manifest| manifest.scope = OfficeId([0x66; 16]), "this terminal stands at office"),
        (|manifest| manifest.central_epoch.bits = 99, "central epoch"),
    ];
    let order = |n: u8| Command { id: CommandId([n; 16]), order: Order::TakeSnapshot };
    for (n, (change, words)) in (1..).zip(changes) {
        let mut changed = good.clone();
        change(&mut changed.manifest);
        changed.sign(&bench);
        bench.shared.pass_on(&[order(n).into()]);
        let error = refresh(&bench, &changed, v(5)).await.expect_err("refused").to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!((bench.directory.version(), holds(&bench, 7)), (v(5), Some(CardStatus::Active)));
    }
    let mut forged = good.clone();
    forged.manifest.signature[3] ^= 1;
    let error = refresh(&bench, &forged, v(5)).await.expect_err("refused");
    assert!(matches!(error, DownloadError::Refused(Refusal::Signature)), "{error}");
    let mut foreign = good.clone();
    let rows = vec![card(7, CardStatus::Void)];
    let delta =
        Delta { club: ClubId([0x66; 16]), from: v(5), to: v(6), rows, more: false, take_snapshot: false };
    foreign.deltas.insert("1.5".to_owned(), delta);
    bench.shared.snapshot_taken(&order(3));
    let error = refresh(&bench, &foreign, v(6)).await.expect_err("refused");
    assert!(matches!(error, DownloadError::Refused(Refusal::OtherClub { .. })), "{error}");
    assert_eq!(holds(&bench, 7), Some(CardStatus::Active));
}

#[tokio::test]
async fn an_ordered_snapshot_is_taken_once_and_then_reported() {
    let mut bench = Bench::new();
    let good = shelf(&bench, v(5), &two_chunks());
    let order = Command { id: CommandId([3; 16]), order: Order::TakeSnapshot };
    bench.shared.pass_on(&[order.clone().into()]);
    assert!(bench.run.orders.try_recv().is_err(), "not before it is done");
    refresh(&bench, &good, v(5)).await.expect("a snapshot");
    assert_eq!(bench.run.orders.try_recv().expect("reported").command, order.id);
    bench.shared.pass_on(&[order.clone().into()]);
    assert!(bench.shared.wanted().borrow().order.is_none(), "once");
}

#[tokio::test]
async fn a_delta_that_is_too_old_becomes_a_snapshot() {
    let bench = Bench::new();
    refresh(&bench, &shelf(&bench, v(5), &two_chunks()), v(5)).await.expect("a snapshot");
    let [rows, _] = two_chunks();
    let mut later = shelf(&bench, v(900), &[rows]);
    let stale = Delta { club: CLUB, from: v(5), to: v(5), rows: vec![], more: false, take_snapshot: true };
    later.deltas.insert("1.5".to_owned(), stale);
    refresh(&bench, &later, v(900)).await.expect("a snapshot");
    assert_eq!((bench.directory.version(), holds(&bench, 120)), (v(900), None));
}

#[tokio::test]
async fn a_snapshot_older_than_the_centre_is_followed_by_deltas_and_never_taken_in_a_circle() {
    let bench = Bench::new();
    let mut older = shelf(&bench, v(5), &two_chunks());
    let rows = vec![card(7, CardStatus::Void)];
    let delta = Delta { club: CLUB, from: v(5), to: v(6), rows, more: false, take_snapshot: false };
    older.deltas.insert("1.5".to_owned(), delta);
    refresh(&bench, &older, v(6)).await.expect("a snapshot, then a delta");
    assert_eq!((bench.directory.version(), holds(&bench, 7)), (v(6), Some(CardStatus::Void)));
    let stale = Delta { club: CLUB, from: v(5), to: v(5), rows: vec![], more: false, take_snapshot: true };
    older.deltas.insert("1.5".to_owned(), stale.clone());
    older.deltas.insert("1.6".to_owned(), Delta { from: v(6), to: v(6), ..stale });
    let error = refresh(&bench, &older, v(900)).await.expect_err("too old");
    assert!(matches!(error, DownloadError::Refused(Refusal::TooOld { .. })), "{error}");
}
