//! What is kept of a member beside the base data: details, groups of fields, and what is left after an erasure.

use super::*;
use crate::store::details::{FIRST_EDIT, edits};

fn details(n: u8, kind: &str, representative: Option<u8>, tags: Option<u8>) -> Act {
    let hash = |n: u8| Hash([n; 32]);
    Act::MemberDetailSet(hufu_shared::act::MemberDetailSet {
        member: member(n),
        kind: kind.to_owned(),
        referrer: Some(member(2)),
        representative: representative.map(hash),
        tags: tags.map(hash),
        reason: Hash([5; 32]),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k13_e02_what_is_kept_of_a_member_is_set_whole_and_every_edit_is_on_record() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        let clerk = Actor::Admin(hufu_shared::ids::OperatorId([9; 16]));
        desk.act_by(&db, clerk.clone(), details(1, "organisation", Some(7), Some(1))).await;
        desk.act_by(&db, clerk.clone(), details(1, "organisation", None, None)).await;
        let of = |n: u8| db.read(move |tx| crate::store::details::of(tx, member(n)));
        let known = of(1).await.expect("read").expect("set");
        assert_eq!(known.representative, Some(Hash([7; 32])), "nobody goes without a successor");
        assert_eq!(
            (known.kind.as_str(), known.tags, known.referrer),
            ("organisation", Some(Hash([1; 32])), Some(member(2)))
        );
        desk.act_by(&db, clerk.clone(), details(1, "organisation", Some(8), Some(1))).await;
        let change =
            hufu_shared::act::FieldSet { field: "mobile".to_owned(), request: None, taken_over: true };
        let data = Some((Hash([3; 32]), Hash([4; 32])));
        let set = hufu_shared::act::ProfileSet {
            member: member(1),
            changes: vec![change],
            reason: Hash([6; 32]),
            data,
        };
        desk.act_by(&db, clerk.clone(), Act::ProfileSet(set)).await;
        desk.act_by(&db, clerk, leaves(1, "normal")).await;
        let edits = db.read(|tx| edits(tx, member(1), FIRST_EDIT, 10)).await.expect("read");
        let met: Vec<_> = edits
            .iter()
            .map(|edit| (edit.what.as_str(), edit.reason, edit.before.clone(), edit.after.clone()))
            .collect();
        let why = |n: u8| Some(Hash([n; 32]));
        let kept = |n: u8| Some(Hash([n; 32]).to_string());
        let word = |word: &str| Some(word.to_owned());
        let expected = [
            ("leaving", Some(REASON), None, word("filed")),
            ("mobile", why(6), kept(3), kept(4)),
            ("representative", why(5), kept(7), kept(8)),
            ("kind", why(5), None, word("organisation")),
            ("referrer", why(5), None, Some(member(2).to_string())),
            ("representative", why(5), None, kept(7)),
            ("tags", why(5), None, kept(1)),
        ];
        assert_eq!(met, expected, "what changed alone, and the refused one left nothing");
        assert!(edits.iter().all(|edit| edit.by.starts_with("admin/")));
        holds(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_x17_an_erased_member_keeps_a_pseudonymous_record_and_the_merged_ones_go_too() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        let clerk = Actor::Admin(hufu_shared::ids::OperatorId([9; 16]));
        let group = hufu_shared::act::FieldGroup {
            code: "home".to_owned(),
            words: words("现居住情况", "present home"),
            class: hufu_shared::act::Sensitivity::Personal,
            fields: vec![],
            retired: false,
        };
        desk.act(&db, Act::FieldGroupSet(group)).await;
        for n in [1, 2] {
            desk.act_by(&db, clerk.clone(), details(n, "person", None, Some(n))).await;
            let (group, values, reason) = ("home".to_owned(), Hash([n; 32]), REASON);
            let set = hufu_shared::act::CustomSet { member: member(n), group, values, reason };
            desk.act(&db, Act::CustomSet(set)).await;
        }
        let merged =
            hufu_shared::act::MembersMerged { survivor: member(1), merged: member(2), reason: REASON };
        desk.act(&db, Act::MembersMerged(merged)).await;
        assert_eq!(count(&db, "kept_beside", vec![]).await, 3, "details of one, fields of both");
        let filed = desk.files(&db, 1, "centre", &[("name", "李雷")]).await;
        desk.act(&db, ended(filed, ApplicationEnd::Joined(member(1)))).await;
        assert_eq!(count(&db, "sealed_parts", vec![]).await, 1);
        let (vault, at) = (desk.vault.clone(), desk.next());
        let erase = move |tx: &mut Tx<'_>| {
            let of = (member(1), Hash([8; 32]));
            crate::store::erasure::erase(tx, &vault, (EntryId([at.0; 16]), at.1), &clerk, of)
        };
        assert!(db.write(erase.clone()).await.expect("erased"));
        assert_eq!(count(&db, "sealed_parts", vec![]).await, 0, "what the application said");
        assert_eq!(count(&db, "kept_beside", vec![]).await, 0, "of both records");
        let vault = desk.vault.clone();
        let left = db.read(move |tx| vault.reveal(tx, member(1))).await.expect("read");
        assert!(left.is_none());
        desk.act(&db, details(1, "person", None, Some(3))).await;
        assert_eq!(count(&db, "kept_beside", vec![]).await, 0, "nothing is kept of who was erased");
        let vault = desk.vault.clone();
        let again = move |tx: &mut Tx<'_>| {
            let actor = Actor::Job("test".to_owned());
            crate::store::erasure::erase(tx, &vault, (EntryId([99; 16]), at.1), &actor, (member(1), REASON))
        };
        assert!(!db.write(again).await.expect("read"), "once");
        holds(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_y01_z01_groups_of_fields_keep_a_commitment_and_an_applicant_keeps_kind_and_referrer() {
    each(|db| async move {
        let mut desk = desk(&db).await;
        let group = hufu_shared::act::FieldGroup {
            code: "home".to_owned(),
            words: words("现居住情况", "present home"),
            class: hufu_shared::act::Sensitivity::Personal,
            fields: vec![],
            retired: false,
        };
        desk.act(&db, Act::FieldGroupSet(group.clone())).await;
        let filled = |n: u8| {
            let (group, values, reason) = ("home".to_owned(), Hash([n; 32]), REASON);
            Act::CustomSet(hufu_shared::act::CustomSet { member: member(1), group, values, reason })
        };
        let (other, values, reason) = ("car".to_owned(), Hash([9; 32]), REASON);
        let stray = hufu_shared::act::CustomSet { member: member(1), group: other, values, reason };
        desk.act(&db, Act::CustomSet(stray)).await;
        desk.act(&db, filled(3)).await;
        desk.act(&db, filled(4)).await;
        let weaker =
            hufu_shared::act::FieldGroup { class: hufu_shared::act::Sensitivity::Plain, ..group.clone() };
        desk.act(&db, Act::FieldGroupSet(weaker)).await;
        let read = db.read(|tx| -> Result<_, StoreError> {
            Ok((crate::store::details::groups(tx)?, crate::store::details::customs(tx, member(1))?))
        });
        let kept = vec![("home".to_owned(), Hash([4; 32]))];
        assert_eq!(
            read.await.expect("read"),
            (vec![group], kept),
            "as protected as it was, and no other group"
        );
        let filed = ApplicationFiled {
            application: FactId::filed([1; 16]),
            route: "centre".to_owned(),
            way: Some("referral".to_owned()),
            kind: "walk_in".to_owned(),
            office: None,
            referrer: Some(member(2)),
            form: Hash([1; 32]),
            standing: "old_buyer".to_owned(),
            automatic: false,
            carer: Some(hufu_shared::ids::OperatorId([4; 16])),
        };
        desk.act(&db, Act::ApplicationFiled(filed)).await;
        desk.act(&db, new_member(6)).await;
        desk.act(&db, ended(FactId::filed([1; 16]), ApplicationEnd::Joined(member(6)))).await;
        let known =
            db.read(|tx| crate::store::details::of(tx, member(6))).await.expect("read").expect("kept");
        assert_eq!((known.kind.as_str(), known.referrer), ("walk_in", Some(member(2))));
        assert_eq!(known.carer, Some(hufu_shared::ids::OperatorId([4; 16])), "who entered it cares for it");
        holds(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_of_details_prepares_on_both_engines() {
    prepare_all(&[&crate::store::details::SQL, &crate::store::erasure::SQL]).await;
}
