//! Member codes as the club's app asks for them.

use axum::http::StatusCode;
use hufu_shared::ids::MemberId;
use hufu_shared::member_code::{MemberCode, MemberCodeError, SignedCode};

use super::kit::*;
use crate::store::{journal, people};

async fn member_of(site: &Site, code: &MemberCode) -> Option<MemberId> {
    let token = code.token;
    let card = site.app.db.read(move |tx| people::card_by_token(tx, token)).await.expect("read");
    card.expect("a card").member
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_code_is_made_for_a_card_in_use_and_holds_by_the_centres_key() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let members = browser.get("/members").await;
        let link = members.between("data-label=\"姓名\"><a href=\"", "\"").expect("a member").to_owned();
        let member: MemberId = link.trim_start_matches("/members/").parse().expect("an id");
        let path = format!("/api/v1/members/{member}/code");
        let made = browser.post(&path, &[]).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text);
        let club = site.app.db.read(journal::club).await.expect("read").club;
        let read = SignedCode::parse(made.between("\"code\":\"", "\"").expect("a code")).expect("whole");
        let code = read.verify(club, &site.app.keys.sign_public()).expect("signed");
        assert_eq!(member_of(&site, &code).await, Some(member));
        assert_eq!(read.verify(club, &[7; 32]), Err(MemberCodeError::Signature));
        let again = browser.post(&path, &[]).await;
        assert_ne!(again.between("\"code\":\"", "\""), made.between("\"code\":\"", "\""), "each is another");
        assert!(made.text.contains("\"holds_s\":60"), "{}", made.text);

        // Not to strangers, not from another page's form, not for nobody.
        let mut stranger = Browser::stranger(&site);
        assert_ne!(stranger.post_bare(&path, &[]).await.status, StatusCode::OK);
        assert_ne!(browser.post_bare(&path, &[]).await.status, StatusCode::OK);
        let nobody = format!("/api/v1/members/{}/code", MemberId([9; 16]));
        assert_eq!(browser.post(&nobody, &[]).await.status, StatusCode::NOT_FOUND);

        // A member whose cards are all lost has nothing that a code could stand for.
        let cards = site.app.db.read(move |tx| people::cards_of(tx, member)).await.expect("read");
        for card in cards {
            let path = format!("/cards/{}", card.card);
            browser.post(&path, &[("status", "lost"), ("reason", "电话挂失")]).await;
        }
        assert_eq!(browser.post(&path, &[]).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}
