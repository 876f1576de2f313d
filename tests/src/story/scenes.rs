//! The scenes, in order. Each does one thing with real programs, looks at what people see, and tells the model.

use super::check::{self, Tally};
use super::cli;
use super::club::{Cast, POINTS, STRANGER};
use super::journal::Journal;
use super::model::{KIND_TWO_TERMINALS, Place};
use super::panel;
use super::stage::{DISPLAY_A, Stage, ms};
use crate::kit::clock;
use crate::kit::vcard::VirtualCard;
use anyhow::{Context as _, Result, ensure};
use hufu_hardware::layout::{Icon, Screen, Shade};
use hufu_shared::fact::{Event, RefusalReason, Shown};
use hufu_shared::time::Day;
use std::collections::BTreeSet;

/// A member display stays with a result for some seconds; it is looked at within them.
const DISPLAY_LIMIT_MS: u64 = 5_000;
/// A card that comes back sooner than this counts as one that trembled.
const SECOND_TAP_PAUSE_MS: u64 = 2_000;
/// Equal refusals within this time are one fact, which is written when it is over.
const REFUSAL_LIMIT_MS: u64 = 30_000;
/// How long a queue may take to drain: waits grow while the centre is away.
const DRAIN_LIMIT_MS: u64 = 180_000;
/// Swipes that are sent down the line before the journal is looked at.
const CROWD_STEP: usize = 20;
const CROWD_LIMIT_MS: u64 = 30_000;
/// A request of so many bytes is a batch and no handshake.
const BATCH_BYTES_MIN: u64 = 8_192;
const OFFLINE_LIMIT_MS: u64 = 60_000;

/// A card at A is checked in: green, greeting and words on the display, and the same card again has no further effect.
///
/// # Errors
/// When something else is shown.
pub fn greets_once(stage: &mut Stage, cast: &Cast) -> Result<()> {
    let uid = cast.guest.chip()?;
    let before = stage.a.counter.result_n()?;
    let card = VirtualCard::mifare(&uid).insert(stage.pcscd.port(0))?;
    let result = stage.a.counter.wait_result(before, ms(20_000))?;
    ensure!(result["outcome"]["kind"] == "accepted", "A showed {result}");
    let screen = Screen {
        shade: Shade::Green,
        icon: Some(Icon::Check),
        title: "签到成功".to_owned(),
        lines: vec!["欧阳女士，欢迎您！".to_owned(), format!("本次 +{POINTS}"), "可用积分 0".to_owned()],
        footer: None,
    };
    panel::wait_until_shown(&stage.a.picture(), DISPLAY_A, &screen, ms(DISPLAY_LIMIT_MS))?;
    card.remove()?;
    stage.model.check_in(Place::A, &cast.guest.number);
    std::thread::sleep(ms(SECOND_TAP_PAUSE_MS));
    stage.tap_for(&uid, "already_in")?;
    stage.model.again(Place::A);
    Ok(())
}

/// A purchase of 320 yuan at B earns 6 points by rule S2.
///
/// # Errors
/// When something else is shown.
pub fn earns_by_s2(stage: &mut Stage, cast: &Cast) -> Result<()> {
    stage.b.counter.earn("320")?;
    let result = stage.draw_for(&cast.buyer.track()?, "accepted")?;
    ensure!(result["promised"] == 6, "B promised {} for 320 yuan", result["promised"]);
    stage.model.purchase(Place::B, &cast.buyer.number, 32_000);
    Ok(())
}

/// A card that was reported lost is refused, and the refusal is a fact.
///
/// # Errors
/// When it is not, or no fact comes.
pub fn refuses_the_lost(stage: &mut Stage, cast: &Cast) -> Result<()> {
    let before = stage.a.journal()?.last_seq();
    let result = stage.tap_for(&cast.loser.chip()?, "refused")?;
    ensure!(result["outcome"]["reason"] == "R07", "A gave another reason: {result}");
    stage.model.refusal(Place::A);
    stage.wait_facts(Place::A, before, 1, ms(REFUSAL_LIMIT_MS))?;
    let journal = stage.a.journal()?;
    let refused = journal.facts.iter().rev().find_map(|fact| match &fact.fact.event {
        Event::Refused(refused) => Some((refused, fact.fact.shown)),
        _ => None,
    });
    let (refused, shown) = refused.context("A's journal has no refusal")?;
    ensure!(
        refused.reason == RefusalReason::R07 && shown == Shown::Refused,
        "A's journal says {:?} and {shown:?}",
        refused.reason
    );
    Ok(())
}

/// A card that the club does not know is recorded for later.
///
/// # Errors
/// When something else is shown.
pub fn records_the_stranger(stage: &mut Stage) -> Result<()> {
    stage.tap_for(&STRANGER, "unknown_card")?;
    stage.model.stranger(Place::A, &STRANGER);
    Ok(())
}

/// The centre dies; both terminals see it and go on. One member checks in at A and then at B.
///
/// # Errors
/// When a terminal does not go on.
pub fn goes_on_alone(stage: &mut Stage, cast: &Cast, uploads_first: Place) -> Result<()> {
    for place in [Place::A, Place::B] {
        stage.at(place).wait_drained(ms(DRAIN_LIMIT_MS))?;
    }
    stage.centre.kill()?;
    for place in [Place::A, Place::B] {
        stage.at(place).wait_online(false, ms(OFFLINE_LIMIT_MS))?;
    }
    stage.tap_for(&cast.traveller.chip()?, "accepted")?;
    stage.model.check_in(Place::A, &cast.traveller.number);
    stage.draw_for(&cast.traveller.track()?, "accepted")?;
    stage.model.check_in_elsewhere(Place::B, uploads_first);
    Ok(())
}

/// A is killed while a card is being read, and started again: nothing that was on its disk is lost, and the member
/// gets in once, whether or not the fact had been written.
///
/// # Errors
/// When a fact is lost or the member gets in twice.
pub fn survives_the_power_cut(stage: &mut Stage, cast: &Cast) -> Result<()> {
    let uid = cast.unlucky.chip()?;
    let card = VirtualCard::mifare(&uid).insert(stage.pcscd.port(0))?;
    clock::poll(ms(20_000), || (card.apdus() > 0).then_some(())).context("A did not ask the card")?;
    let before = stage.a.journal()?;
    stage.a.kill()?;
    card.remove()?;
    stage.a.run()?;
    stage.wait_reader(Place::A, true)?;
    kept(&before, &stage.a.journal()?)?;
    let boot = stage.a.journal()?.facts.iter().rev().find_map(|fact| match &fact.fact.event {
        Event::Booted(booted) => Some(booted.unclean),
        _ => None,
    });
    ensure!(boot == Some(true), "A's new start does not say that the last run was cut: {boot:?}");
    stage.model.check_in(Place::A, &cast.unlucky.number);
    let result = stage.tap(&uid)?;
    match result["outcome"]["kind"].as_str() {
        // The fact had not been written: this is the member's first.
        Some("accepted") => {}
        // It had been, though nobody saw it: this is a repeat.
        Some("already_in") => stage.model.again(Place::A),
        _ => anyhow::bail!("A showed {result} after the power cut"),
    }
    Ok(())
}

/// Every fact of an older journal stands unchanged in the newer one.
fn kept(before: &Journal, after: &Journal) -> Result<()> {
    for fact in &before.facts {
        let now = after.facts.iter().find(|now| now.seq == fact.seq);
        ensure!(
            now.is_some_and(|now| now.body == fact.body && now.hash == fact.hash),
            "fact {} was on the disk before the power cut and is not the same now",
            fact.seq
        );
    }
    Ok(())
}

/// The smart-card service dies and comes back: A says that its reader is gone, and takes cards again by itself.
///
/// # Errors
/// When it does not.
pub fn outlives_the_card_service(stage: &mut Stage, cast: &Cast) -> Result<()> {
    stage.pcscd.kill_hard()?;
    stage.wait_reader(Place::A, false)?;
    stage.pcscd.start_again()?;
    stage.wait_reader(Place::A, true)?;
    stage.tap_for(&cast.patient.chip()?, "accepted")?;
    stage.model.check_in(Place::A, &cast.patient.number);
    Ok(())
}

/// Hundreds of swipes queue up: stripes at B as fast as they are read, numbers typed at A.
///
/// # Errors
/// When one is not recorded.
pub fn queues_up(stage: &mut Stage, cast: &Cast) -> Result<()> {
    for people in cast.crowd.chunks(CROWD_STEP) {
        let before = stage.b.journal()?.last_seq();
        for person in people {
            stage.draw(&person.track()?)?;
            stage.model.check_in(Place::B, &person.number);
        }
        stage.wait_facts(Place::B, before, people.len() as u64, ms(CROWD_LIMIT_MS))?;
    }
    for person in &cast.typed {
        let number = person.card.as_deref().context("no number to type")?;
        stage.a.counter.type_and_confirm(number)?;
        stage.model.check_in(Place::A, &person.number);
    }
    Ok(())
}

/// The centre comes back. One terminal uploads before the other; of B's first batch the answer is lost after the
/// centre took it, and the same facts are sent again with those that came since.
///
/// # Errors
/// When a queue does not drain, or the lost answer was no batch's.
pub fn drains(stage: &mut Stage, cast: &Cast, uploads_first: Place) -> Result<()> {
    stage.a.cable.cut();
    stage.b.cable.cut();
    stage.centre.serve()?;
    if uploads_first == Place::A {
        stage.a.cable.mend();
        stage.a.wait_drained(ms(DRAIN_LIMIT_MS))?;
    }
    lose_an_answer(stage, cast)?;
    stage.b.wait_drained(ms(DRAIN_LIMIT_MS))?;
    stage.a.cable.mend();
    for place in [Place::A, Place::B] {
        stage.at(place).wait_drained(ms(DRAIN_LIMIT_MS))?;
        stage.at(place).wait_online(true, ms(DRAIN_LIMIT_MS))?;
    }
    Ok(())
}

fn lose_an_answer(stage: &mut Stage, cast: &Cast) -> Result<()> {
    let before = stage.b.journal()?;
    ensure!(before.last_seq() > before.acked_seq, "B has nothing to upload");
    stage.b.cable.lose_answer_to_request_of(BATCH_BYTES_MIN);
    stage.b.cable.mend();
    clock::poll(ms(DRAIN_LIMIT_MS), || (stage.b.cable.lost() > 0).then_some(()))
        .context("B sent no batch whose answer could be lost")?;
    // The cable is cut now, so both sides stand still.
    let after = stage.b.journal()?;
    let cursor = cursor_of(stage, &after)?;
    ensure!(
        cursor > after.acked_seq,
        "the centre took facts up to {cursor}, B was receipted up to {}: no batch's answer was lost",
        after.acked_seq
    );
    for person in &cast.late {
        stage.draw(&person.track()?)?;
        stage.model.check_in(Place::B, &person.number);
    }
    stage.wait_facts(Place::B, before.last_seq(), cast.late.len() as u64, ms(CROWD_LIMIT_MS))?;
    stage.b.cable.mend();
    Ok(())
}

/// How far the centre took a terminal's facts in, by its own table.
fn cursor_of(stage: &Stage, journal: &Journal) -> Result<u64> {
    let rows = stage.centre.engine.rows("SELECT device, acked_seq FROM device_epoch")?;
    for row in &rows {
        if row[0].bytes()? == journal.device.0 {
            return row[1].count();
        }
    }
    anyhow::bail!("the centre knows no enrolment of {}", journal.device)
}

/// The member who was at two offices stands in the inbox, and both terminals are told.
///
/// # Errors
/// When the inbox or a terminal does not say so.
pub fn tells_both(stage: &Stage) -> Result<()> {
    let sql = format!("SELECT count(*) FROM conflict WHERE kind = {KIND_TWO_TERMINALS} AND state = 'open'");
    stage.centre.wait_count(&sql, 1, ms(DRAIN_LIMIT_MS))?;
    for place in [Place::A, Place::B] {
        let terminal = stage.at(place);
        terminal.counter.wait("notice of kind 27", ms(DRAIN_LIMIT_MS), |state| {
            let notices = state["notices"].as_array()?;
            notices.iter().any(|notice| notice["kind"] == KIND_TWO_TERMINALS).then_some(())
        })?;
        let told = terminal.journal()?.told_kinds;
        ensure!(told.contains(&KIND_TWO_TERMINALS), "{place:?} keeps no notice of kind 27: {told:?}");
    }
    Ok(())
}

/// Both terminals close their day; everything is compared; the centre's own proofs agree.
///
/// # Errors
/// When anything differs.
pub fn balances(stage: &mut Stage) -> Result<Tally> {
    for place in [Place::A, Place::B] {
        cli::must(stage.at(place).command()?.arg("close-day"))?;
    }
    for place in [Place::A, Place::B] {
        stage.at(place).wait_drained(ms(DRAIN_LIMIT_MS))?;
    }
    let days: BTreeSet<i64> = stage
        .centre
        .engine
        .rows("SELECT DISTINCT day FROM fact")?
        .iter()
        .map(|row| row[0].int())
        .collect::<Result<_>>()?;
    for day in days {
        let day = Day(i32::try_from(day)?);
        cli::must(stage.centre.command()?.args(["reconcile", "--day", &day.to_string()]))
            .context("`hufu-central reconcile` does not agree")?;
    }
    cli::must(stage.centre.command()?.arg("verify")).context("`hufu-central verify` found something")?;
    check::compare(&stage.sides(1)?, &stage.centre.engine, &stage.model)
}
