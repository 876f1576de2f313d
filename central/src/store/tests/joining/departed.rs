//! Who leaves, is audited, and comes back; and what the rounds tell them.

use super::*;

fn audited(n: u8, archived: bool) -> Act {
    Act::LeaveDecided(LeaveDecided { member: member(n), archived, reason: REASON })
}

fn back(n: u8) -> Act {
    Act::MemberRestored(MemberRestored { member: member(n), reason: REASON })
}

async fn leaving_of(db: &Db, n: u8) -> Option<(leaving::State, bool)> {
    let known = db.read(move |tx| joining::leaving(tx, member(n))).await.expect("read");
    known.map(|known| (known.state, known.automatic))
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k11_c05_who_leaves_is_audited_archived_and_comes_back_whole() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        desk.terminal.purchase(0, 1, 32_000, 6);
        desk.terminal.upload(&db).await;
        desk.act(&db, audited(1, true)).await;
        assert_eq!(status(&db, 1).await, "active", "nothing was put down");
        desk.act(&db, leaves(1, "normal")).await;
        assert_eq!(leaving_of(&db, 1).await, Some((leaving::State::Filed, true)));
        assert_eq!(status(&db, 1).await, "active", "待退: takes part until it is audited");
        desk.act(&db, audited(1, true)).await;
        assert_eq!((status(&db, 1).await.as_str(), points(&db, 1).await), ("left", 6), "nothing is taken");
        desk.act(&db, leaves(1, "expired")).await;
        assert_eq!(leaving_of(&db, 1).await, Some((leaving::State::Archived, true)), "gone is gone");
        let like = desk.files(&db, 1, "centre", &[("name", "欧阳静")]).await;
        assert_eq!(state(&db, like).await.0, State::Waiting, "an archived record is no formal member");
        desk.act(&db, back(1)).await;
        assert_eq!((status(&db, 1).await.as_str(), points(&db, 1).await), ("active", 6));
        let told = [(About::Left, Some(member(1))), (About::Restored, Some(member(1)))];
        assert_eq!(due(&db).await, told);
        desk.act(&db, leaves(1, "normal")).await;
        desk.act(&db, audited(1, true)).await;
        assert_eq!(due(&db).await.len(), 3, "the second time is a matter of its own");
        holds(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k11_only_the_service_centre_puts_a_leaving_down_and_a_refusal_leaves_everything() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        desk.act_by(&db, Actor::Device(TERMINAL_A), leaves(1, "normal")).await;
        assert_eq!(leaving_of(&db, 1).await, None, "not from a terminal");
        let clerk = Actor::Admin(hufu_shared::ids::OperatorId([9; 16]));
        desk.act_by(&db, clerk, leaves(1, "normal")).await;
        desk.act(&db, leaves(2, "unreachable")).await;
        for n in [1, 2] {
            desk.act(&db, audited(n, false)).await;
            assert_eq!(status(&db, n).await, "active");
        }
        assert_eq!(due(&db).await, [(About::Stays, Some(member(1)))], "who never asked is not told");
        desk.act(&db, back(1)).await;
        assert_eq!(leaving_of(&db, 1).await.map(|known| known.0), Some(leaving::State::Refused));
        let erased = MemberErased { member: member(4), reason: REASON };
        desk.act(&db, Act::MemberErased(erased)).await;
        desk.act(&db, leaves(4, "normal")).await;
        assert_eq!(leaving_of(&db, 4).await, None, "there is nobody left to leave");
        holds(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k02_those_that_a_round_told_are_told_and_the_rest_stay_for_the_next() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        for n in [1, 2, 3] {
            desk.act(&db, leaves(n, "normal")).await;
            desk.act(&db, audited(n, true)).await;
        }
        let waiting = messages(&db, false).await;
        assert_eq!(waiting.len(), 3);
        let tells = |round: u32, channel: &str, rows: &[(Hash, KnownMessage)]| {
            let messages = rows.iter().map(|row| row.0).collect();
            Act::MessagesTold(MessagesTold { round, channel: channel.to_owned(), messages })
        };
        assert_eq!(db.read(joining::next_round).await.expect("read"), 1);
        desk.act(&db, tells(1, "sms", &waiting[..2])).await;
        assert_eq!(messages(&db, false).await, waiting[2..], "待通知");
        assert_eq!(db.read(joining::next_round).await.expect("read"), 2);
        desk.act(&db, tells(2, "letter", &waiting)).await;
        let told = messages(&db, true).await;
        let rounds: Vec<_> = told.iter().map(|row| (row.1.round, row.1.channel.as_deref())).collect();
        assert_eq!(rounds, [(1, Some("sms")), (1, Some("sms")), (2, Some("letter"))], "已通知, by its round");
        assert!(messages(&db, false).await.is_empty());
        holds(&db).await;
    })
    .await;
}
