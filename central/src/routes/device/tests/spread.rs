//! How far the block of a card has come, asked by the terminal where it was reported.

use hufu_shared::act::{Act, CardStatusSet};
use hufu_shared::cbor;
use hufu_shared::ids::{CardId, Hash};
use hufu_shared::member::CardStatus;
use hufu_shared::wire::spread::{SPREAD_PATH, SpreadAnswer, SpreadAsk};
use hufu_shared::wire::updates::Updates;
use hufu_shared::wire::version::Version;

use super::kit::{Link, Site, each, token};
use crate::store::people;

async fn ask(link: &mut Link, card: u8) -> SpreadAnswer {
    let answer = link.post(SPREAD_PATH, cbor::encode(&SpreadAsk { token: token(card) })).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 200);
    answer.read()
}

/// One poll, as a terminal that holds this block list; answers the list that it holds then.
async fn poll(link: &mut Link, block: Version) -> Version {
    let path = format!("/device/v1/updates?directory=1.0&block={block}&notices=0&wait_ms=0&queued=0");
    let updates: Updates = link.get(&path).await.expect("an answer").read();
    updates.block
}

async fn stand(site: &Site, status: CardStatus) {
    set(site, status).await;
    site.published().await;
}

async fn set(site: &Site, status: CardStatus) {
    let act = CardStatusSet { card: CardId([2; 16]), status, reason: Hash([0; 32]) };
    site.act(Act::CardStatusSet(act)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h06_terminals_that_hold_an_earlier_state_do_not_have_a_card_that_was_lost_again() {
    each(|site| async move {
        let one = site.terminal("one").await;
        let mut here = one.connect(&site).await;
        stand(&site, CardStatus::Lost).await;
        stand(&site, CardStatus::Active).await;
        let lifted = poll(&mut here, Version { epoch: 1, n: 0 }).await;
        poll(&mut here, lifted).await;
        assert_eq!(
            (ask(&mut here, 2).await.have, ask(&mut here, 2).await.lack),
            (1, 0),
            "it is as it stands"
        );
        // Lost again, and nobody has numbered it yet: the newest number is that of the lifting.
        set(&site, CardStatus::Lost).await;
        let again = ask(&mut here, 2).await;
        assert_eq!((again.status, again.have, again.lack), (Some(CardStatus::Lost), 0, 1));
        let reach = site.app.db.read(|tx| people::reach(tx, CardId([2; 16]))).await.expect("readable");
        assert_eq!(reach, (0, vec!["one".to_owned()]));
        site.published().await;
        let lost = poll(&mut here, lifted).await;
        poll(&mut here, lost).await;
        assert_eq!((ask(&mut here, 2).await.have, ask(&mut here, 2).await.lack), (1, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h06_a_desk_sees_which_terminals_have_a_lost_card_and_when_the_others_were_last_heard() {
    each(|site| async move {
        let (one, other) = (site.terminal("one").await, site.terminal("other").await);
        let (mut here, mut there) = (one.connect(&site).await, other.connect(&site).await);
        let start = Version { epoch: 1, n: 0 };
        assert_eq!(poll(&mut here, start).await, start, "nothing is blocked");
        stand(&site, CardStatus::Lost).await;
        let lost = poll(&mut here, start).await;
        assert!(lost > start);
        // It was sent, and nobody has said that it arrived.
        let sent = ask(&mut here, 2).await;
        assert_eq!((sent.status, sent.have, sent.lack), (Some(CardStatus::Lost), 0, 2));
        poll(&mut here, lost).await;
        let answer = ask(&mut here, 2).await;
        assert_eq!((answer.have, answer.lack), (1, 1));
        let seen: Vec<_> = answer
            .terminals
            .iter()
            .map(|met| (met.name.as_str(), met.has, met.own, met.heard.is_some()))
            .collect();
        assert_eq!(seen, [("other", false, false, true), ("one", true, true, true)]);
        assert!(answer.terminals.iter().all(|met| met.office.is_some()));
        let held = poll(&mut there, start).await;
        poll(&mut there, held).await;
        assert_eq!((ask(&mut here, 2).await.have, ask(&mut there, 2).await.lack), (2, 0), "both");
        // Found again: until the next contact both still refuse it, which is news that they lack.
        stand(&site, CardStatus::Active).await;
        let lifted = ask(&mut here, 2).await;
        assert_eq!((lifted.status, lifted.have, lifted.lack), (Some(CardStatus::Active), 0, 2));
        let strange = ask(&mut here, 250).await;
        assert_eq!((strange.status, strange.have, strange.terminals.len()), (None, 0, 0), "no such card");
        assert_eq!(ask(&mut here, 3).await.lack, 0, "a card that was never blocked is known as it is");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_who_has_no_certificate_hears_nothing_of_the_spread_and_a_longer_ask_is_not_read() {
    each(|site| async move {
        let terminal = site.terminal("one").await;
        let mut link = terminal.connect(&site).await;
        let long = link.post(SPREAD_PATH, vec![0; 4_096]).await.expect("an answer");
        assert!(long.status.is_client_error(), "{}", long.status);
        if let Ok(mut stranger) = site.connect(None).await {
            let body = cbor::encode(&SpreadAsk { token: token(2) });
            let answer = stranger.post(SPREAD_PATH, body).await;
            assert!(answer.is_err() || answer.is_ok_and(|met| met.status == 401 || met.status == 403));
        }
    })
    .await;
}
