//! Terminals with another history: stopped, and both branches kept.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn kind_21_another_history_freezes_the_terminal_and_both_branches_are_kept() {
    each(|site| async move {
        let mut honest = site.terminal("one").await;
        honest.check_in(&site, 1);
        // The clone shares the key and all facts so far, then goes its own way.
        let mut clone = honest.cloned();
        clone.check_in(&site, 2);
        honest.check_in(&site, 3);
        honest.send_from(&site, 1).await;
        let upload = clone.batch(3, 3);
        let mut link = clone.connect(&site).await;
        let (kind, problem) = link.upload(&upload).await.problem();
        assert_eq!(kind, ProblemKind::Fork, "{problem:?}");
        assert_eq!(status(&site, &honest).await, "forked");
        assert_eq!(site.count("entries", vec!["fork".into()]).await, 1);
        for _ in 0..2 {
            assert_eq!(link.upload(&upload).await.problem().0, ProblemKind::Fork);
        }
        assert_eq!(site.count("entries", vec!["fork".into()]).await, 1, "said once");
        assert!(site.count("branch", vec![honest.device.0.into()]).await >= 1);
        // The honest one goes on: not applied, not lost.
        honest.check_in(&site, 4);
        let upload = honest.batch(4, 4);
        assert_eq!(honest.connect(&site).await.upload(&upload).await.problem().0, ProblemKind::Fork);
        assert_eq!(facts(&site, &honest).await, 3);
        assert_eq!(site.count("branch", vec![honest.device.0.into()]).await, 2);
        // A person enrols it again: it works.
        let code = site.invite("one", Some(honest.device)).await;
        let mut again = Terminal::unenrolled();
        assert_eq!(again.enrol(&site, &code).await.unwrap().epoch, 2);
        again.check_in(&site, 4);
        again.send_from(&site, 1).await;
        assert_eq!(points(&site, 4).await, POINTS);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_21_a_stopped_terminal_delivers_and_hears_and_is_served_nothing_else() {
    each(|site| async move {
        let mut honest = site.terminal("one").await;
        honest.check_in(&site, 1);
        let mut clone = honest.cloned();
        clone.check_in(&site, 2);
        honest.check_in(&site, 3);
        honest.send_from(&site, 1).await;
        let mut link = clone.connect(&site).await;
        assert!(link.get("/device/v1/directory?since=1.0").await.unwrap().status.is_success());
        assert_eq!(link.upload(&clone.batch(3, 3)).await.problem().0, ProblemKind::Fork);
        for path in ["/device/v1/directory?since=1.0", "/device/v1/directory/snapshot/manifest"] {
            let (kind, problem) = link.get(path).await.unwrap().problem();
            assert_eq!(kind, ProblemKind::Fork, "{path}: {problem:?}");
            assert!(problem.detail.contains(&clone.device.to_string()), "{problem:?}");
        }
        let renewal = cbor::encode(&RenewRequest { proto: PROTO, csrs: vec![clone.csr()] });
        let answer = link.post("/device/v1/renew", renewal).await.unwrap();
        assert_eq!(answer.problem().0, ProblemKind::Fork);
        let heard = link.get("/device/v1/updates?directory=1.0&block=1.0&notices=0&queued=0&wait_ms=0").await;
        assert!(heard.unwrap().status.is_success(), "blocks of lost cards still reach it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_21_a_branch_is_kept_up_to_a_limit() {
    each(|site| async move {
        let mut honest = site.terminal("one").await;
        honest.check_in(&site, 1);
        let mut clone = honest.cloned();
        clone.check_in(&site, 2);
        honest.check_in(&site, 3);
        honest.send_from(&site, 1).await;
        let mut link = clone.connect(&site).await;
        assert_eq!(link.upload(&clone.batch(3, 3)).await.problem().0, ProblemKind::Fork);
        let kept = || site.count("branch", vec![honest.device.0.into()]);
        assert_eq!(kept().await, 1);
        site.probe_write("fill_branch", vec![vec![0_u8; 4 * 1024 * 1024].into()]).await;
        clone.check_in(&site, 4);
        let upload = clone.batch(3, 4);
        assert_eq!(link.upload(&upload).await.problem().0, ProblemKind::Fork);
        assert_eq!(kept().await, 1, "more is not kept");
        site.probe_write("fill_branch", vec![vec![0_u8].into()]).await;
        assert_eq!(link.upload(&upload).await.problem().0, ProblemKind::Fork);
        assert_eq!(kept().await, 2, "with room it is");
    })
    .await;
}
