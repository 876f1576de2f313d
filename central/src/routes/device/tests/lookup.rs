//! Looking for members without their cards, asked by terminals.

use hufu_shared::act::{Act, CardStatusSet, MemberSet};
use hufu_shared::cbor;
use hufu_shared::ids::{CardId, Hash, MemberId};
use hufu_shared::member::{CardStatus, MemberStatus};
use hufu_shared::wire::lookup::{LOOKUP_FOUND_MAX, LOOKUP_PATH, LookupAnswer, LookupAsk};

use super::kit::{Link, Site, each};
use crate::vault::{Personal, VaultError};

/// Members 1 to 8 with a name and a mobile; the third asked for secrecy, the fourth has left.
async fn people(site: &Site) {
    let vault = site.app.vault.clone();
    let put = move |tx: &mut crate::db::Tx<'_>| -> Result<(), VaultError> {
        let names = ["欧阳娜娜", "欧阳堃", "欧阳密", "欧阳远", "张三", "张三丰", "张小三", "张三石"];
        for (n, name) in (1_u8..).zip(names) {
            let mobile = Some(format!("1380013800{n}"));
            let person = Personal { name: name.to_owned(), mobile, ..Personal::default() };
            let member = MemberId([n; 16]);
            vault.put(tx, member, &person)?;
            let terms = format!("a salt of 16 byt{{\"secret\":{}}}", n == 3);
            vault.put_text(tx, member, Hash([n; 32]), terms.as_bytes())?;
        }
        Ok(())
    };
    site.app.db.write(put).await.expect("kept");
    let left = MemberSet {
        member: MemberId([4; 16]),
        number: "M4".to_owned(),
        level: None,
        status: MemberStatus::Left,
        office: None,
        personal: Hash([4; 32]),
        joined: None,
    };
    site.act(Act::MembersSet(vec![left])).await;
}

async fn ask(link: &mut Link, text: &str) -> LookupAnswer {
    let body = cbor::encode(&LookupAsk { text: text.to_owned() });
    let answer = link.post(LOOKUP_PATH, body).await.expect("an answer");
    assert_eq!(answer.status, 200);
    answer.read()
}

#[tokio::test(flavor = "multi_thread")]
async fn look_up_a_desk_finds_a_member_by_name_mobile_or_number_and_learns_only_what_desks_may_know() {
    each(|site| async move {
        people(&site).await;
        let terminal = site.terminal("one").await;
        let mut link = terminal.connect(&site).await;
        for text in ["欧阳娜娜", "138 0013 8001", "8001", "M1", " 欧阳娜 "] {
            let answer = ask(&mut link, text).await;
            let [found] = &answer.found[..] else { panic!("{text}: {answer:?}") };
            assert_eq!(found.name.as_deref(), Some("欧阳*娜"), "{text}");
            assert_eq!(found.mobile.as_deref(), Some("138****8001"), "{text}");
            assert_eq!(found.card.as_ref().map(|card| card.card), Some(CardId([1; 16])), "{text}");
        }
        let all = ask(&mut link, "欧阳").await;
        assert_eq!(
            (all.found.len(), all.more),
            (2, false),
            "who has left, or asked for secrecy, is nobody here"
        );
        assert!(ask(&mut link, "13800138003").await.found.is_empty(), "nor by the mobile");
        let secret = &ask(&mut link, "M3").await.found[0];
        assert_eq!((&secret.name, &secret.mobile), (&None, &None), "asked for secrecy");
        assert!(secret.card.is_some(), "served all the same, by the number that they tell");
        let lost = CardStatusSet { card: CardId([2; 16]), status: CardStatus::Lost, reason: Hash([0; 32]) };
        site.act(Act::CardStatusSet(lost)).await;
        let found = ask(&mut link, "欧阳堃").await.found;
        assert_eq!(found[0].card.as_ref().map(|card| card.status), Some(CardStatus::Lost), "and says so");
        assert_eq!(ask(&mut link, "李四").await, LookupAnswer::default());
        let short = ask(&mut link, "张").await;
        assert_eq!((short.found.len(), short.more), (0, true), "more must be typed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_a_terminal_that_reads_through_the_club_is_stopped_and_one_without_a_certificate_hears_nothing()
 {
    each(|site| async move {
        people(&site).await;
        let terminal = site.terminal("one").await;
        let mut link = terminal.connect(&site).await;
        let mut refused = 0;
        for _ in 0..45 {
            let answer = ask(&mut link, "欧阳").await;
            assert!(answer.found.len() <= LOOKUP_FOUND_MAX);
            refused += u32::from(answer.too_often && answer.found.is_empty());
        }
        // The minute may turn meanwhile, once.
        assert!(refused >= 5, "{refused}");
        let body = cbor::encode(&LookupAsk { text: "欧阳".to_owned() });
        if let Ok(mut stranger) = site.connect(None).await {
            let answer = stranger.post(LOOKUP_PATH, body).await;
            assert!(
                answer.is_err() || answer.is_ok_and(|answer| answer.status == 401 || answer.status == 403)
            );
        }
    })
    .await;
}
