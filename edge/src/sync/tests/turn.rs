//! Coming back: a terminal that lost the centre, or was put off, asks for its turn on the priority lane and keeps to it.

use hufu_shared::wire::upload::Credit;

use super::bench::Bench;
use super::download::updates_lane;
use super::model::play;
use crate::sync::client::CentreError;

#[tokio::test]
async fn a_terminal_that_comes_back_with_facts_asks_for_its_turn_and_waits_for_it() {
    let bench = Bench::new();
    bench.visits(3);
    bench.model.lock().expect("no panic before").turn = Some(Credit { max_facts: 500, next_poll_ms: 40_000 });
    let played = bench.play(play(&bench.model)).await;
    let (mut lane, channel) = (updates_lane(&bench), bench.channel(&played));
    assert_eq!(bench.shared.turn_in_ms(), 0, "nothing was said yet");
    lane.poll(&channel, 0).await.expect("an answer");
    assert!((39_000..=40_000).contains(&bench.shared.turn_in_ms()), "{}", bench.shared.turn_in_ms());
    // Whoever was told is not told again, until the centre is lost.
    bench.model.lock().expect("no panic before").turn = None;
    lane.poll(&channel, 0).await.expect("an answer");
    assert!(bench.shared.turn_in_ms() > 30_000, "an answer without a turn takes none away");
    bench.shared.failed("updates", &CentreError::TimedOut { after_ms: 1 });
    assert_eq!(bench.shared.turn_in_ms(), 0);
    lane.poll(&channel, 0).await.expect("an answer");
    let asked: Vec<bool> = played.seen().iter().map(|seen| seen.path.contains("&turn=true")).collect();
    assert_eq!(asked, [true, false, true]);
    assert!(bench.shared.is_back());
    assert_eq!(bench.shared.turn_in_ms(), 0, "a centre that names no time takes it at once");
    // Told to ask again, it asks then, and does not send before.
    bench.shared.failed("updates", &CentreError::TimedOut { after_ms: 1 });
    bench.model.lock().expect("no panic before").turn = Some(Credit { max_facts: 0, next_poll_ms: 30 });
    lane.poll(&channel, 0).await.expect("an answer");
    assert!(bench.shared.ask_in_ms().is_some_and(|ms| ms <= 30) && bench.shared.turn_in_ms() > 30);
    while bench.shared.ask_in_ms() > Some(0) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(!bench.shared.is_back() && bench.shared.turn_in_ms() > 0);
    bench.model.lock().expect("no panic before").turn = Some(Credit { max_facts: 500, next_poll_ms: 0 });
    lane.poll(&channel, 0).await.expect("an answer");
    assert!(bench.shared.is_back() && bench.shared.turn_in_ms() == 0);
    assert!(played.seen().last().expect("a poll").path.contains("&turn=true"));
    // Put off for a moment it comes again by itself; for longer it asks first.
    bench.shared.put_off(2_000);
    assert_eq!((bench.shared.turn_in_ms(), bench.shared.ask_in_ms()), (0, None));
    bench.shared.put_off(40_000);
    assert!(bench.shared.turn_in_ms() > 39_000 && bench.shared.ask_in_ms() > Some(39_000));
}

#[tokio::test]
async fn a_terminal_that_asks_again_and_is_told_no_time_sends_instead_of_asking_in_a_circle() {
    let bench = Bench::new();
    bench.visits(3);
    bench.model.lock().expect("no panic before").turn = Some(Credit { max_facts: 0, next_poll_ms: 0 });
    let played = bench.play(play(&bench.model)).await;
    let (mut lane, channel) = (updates_lane(&bench), bench.channel(&played));
    lane.poll(&channel, 0).await.expect("an answer");
    assert_eq!(bench.shared.ask_in_ms(), Some(0), "told to ask again at once");
    assert!(bench.shared.turn_in_ms() > 0);
    bench.model.lock().expect("no panic before").turn = None;
    lane.poll(&channel, 0).await.expect("an answer");
    assert!(played.seen().last().expect("a poll").path.contains("&turn=true"));
    assert!(bench.shared.is_back());
    assert_eq!((bench.shared.turn_in_ms(), bench.shared.ask_in_ms()), (0, None), "it may send now");
}
