//! The vault on both engines.

use super::*;
use crate::db::testing::{TestPlace, each, prepare_all};
use crate::db::{Db, Engine};

fn new_vault() -> (tempfile::TempDir, Vault) {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::create(&folder.path().join("vault.key")).unwrap();
    (folder, vault)
}

fn member(number: u8) -> MemberId {
    MemberId([number; 16])
}

fn ouyang() -> Personal {
    Personal {
        home_phone: None,
        name: "欧阳娜娜".to_owned(),
        sex: Sex::Female,
        mobile: Some("13812341234".to_owned()),
        document: Some(Document {
            kind: DocumentKind::IdentityCard,
            number: "11010519491231002X".to_owned(),
        }),
        birthday: Some("1949-12-31".parse().unwrap()),
        address: Some("北京市朝阳区建国路1号".to_owned()),
        email: Some("nana@example.com".to_owned()),
        remark: None,
    }
}

fn named(name: &str) -> Personal {
    Personal { name: name.to_owned(), ..Personal::default() }
}

async fn put(db: &Db, vault: &Vault, id: MemberId, personal: Personal) {
    let vault = vault.clone();
    db.write(move |tx| vault.put(tx, id, &personal)).await.unwrap();
}

async fn search(db: &Db, vault: &Vault, input: &'static str) -> Vec<MemberId> {
    let vault = vault.clone();
    db.read(move |tx| vault.search(tx, input, 10)).await.unwrap()
}

async fn reveal(db: &Db, vault: &Vault, id: MemberId) -> Result<Option<Personal>, VaultError> {
    let vault = vault.clone();
    db.read(move |tx| vault.reveal(tx, id)).await
}

#[tokio::test]
async fn all_statements_fit_the_schema() {
    prepare_all(&[&SQL]).await;
}

#[tokio::test]
async fn what_was_put_is_revealed_and_replaced() {
    each(|db| async move {
        let (_folder, vault) = new_vault();
        put(&db, &vault, member(1), ouyang()).await;
        assert_eq!(reveal(&db, &vault, member(1)).await.unwrap(), Some(ouyang()));
        assert_eq!(reveal(&db, &vault, member(2)).await.unwrap(), None);
        put(&db, &vault, member(1), named("张三")).await;
        assert_eq!(reveal(&db, &vault, member(1)).await.unwrap(), Some(named("张三")));
        assert_eq!(search(&db, &vault, "欧阳").await, [], "the old name finds nothing");
        assert_eq!(search(&db, &vault, "张三").await, [member(1)]);
        let nameless = vault.clone();
        let error = db.write(move |tx| nameless.put(tx, member(3), &named(""))).await.unwrap_err();
        assert!(matches!(error, VaultError::Name { chars: 0 }), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_member_is_found_by_each_way_and_only_those() {
    each(|db| async move {
        let (_folder, vault) = new_vault();
        put(&db, &vault, member(1), ouyang()).await;
        put(&db, &vault, member(2), named("欧伟")).await;
        put(&db, &vault, member(3), named("买买提·艾力江")).await;
        put(&db, &vault, member(4), named("Mary Ann Lee")).await;
        put(&db, &vault, member(5), named("𠮷野")).await;
        for (input, expected) in [
            ("欧阳", vec![1]),
            ("阳", vec![1]),
            ("欧", vec![1, 2]),
            ("娜娜", vec![1]),
            ("欧阳娜娜", vec![1]),
            ("欧阳小娜", vec![]),
            ("oy", vec![1]),
            ("OYN", vec![1]),
            ("o", vec![1, 2]),
            ("1234", vec![1]),
            ("138 1234 1234", vec![1]),
            ("+8613812341234", vec![1]),
            ("13812341235", vec![]),
            ("11010519491231002x", vec![1]),
            ("买买提艾力江", vec![3]),
            ("买买提•艾力", vec![3]),
            ("ary", vec![4]),
            ("MARY ANN", vec![4]),
            ("𠮷", vec![5]),
            ("吉", vec![]),
            ("%", vec![]),
            ("' OR 1=1 --", vec![]),
            ("", vec![]),
        ] {
            let expected: Vec<MemberId> = expected.into_iter().map(member).collect();
            assert_eq!(search(&db, &vault, input).await, expected, "{input}");
        }
        let exact = vault.clone();
        let found = db.read(move |tx| exact.find(tx, IndexKind::Name, "欧阳 娜娜", 5)).await.unwrap();
        assert_eq!(found, [member(1)]);
    })
    .await;
}

#[tokio::test]
async fn of_a_frequent_name_the_first_members_are_found_in_their_order() {
    each(|db| async move {
        let (_folder, vault) = new_vault();
        for n in (1..=14).rev() {
            put(&db, &vault, member(n), named(if n == 3 { "王伟" } else { "王芳" })).await;
        }
        let first: Vec<MemberId> = (1..=11).filter(|n| *n != 3).map(member).collect();
        assert_eq!(search(&db, &vault, "王芳").await, first, "ten of thirteen");
        let all: Vec<MemberId> = (1..=10).map(member).collect();
        assert_eq!(search(&db, &vault, "王").await, all);
        assert_eq!(search(&db, &vault, "wf").await, first, "and by initials");
    })
    .await;
}

#[tokio::test]
async fn an_erased_member_leaves_nothing() {
    each(|db| async move {
        let (_folder, vault) = new_vault();
        put(&db, &vault, member(1), ouyang()).await;
        let own = vault.clone();
        let commitment = Hash([3; 32]);
        db.write(move |tx| own.put_text(tx, member(1), commitment, b"note")).await.unwrap();
        let own = vault.clone();
        let note = db.read(move |tx| own.text(tx, member(1), commitment)).await.unwrap();
        assert_eq!(note.as_deref(), Some(&b"note"[..]));
        for expected in [true, false] {
            let own = vault.clone();
            assert_eq!(db.write(move |tx| own.erase(tx, member(1))).await.unwrap(), expected);
        }
        assert_eq!(reveal(&db, &vault, member(1)).await.unwrap(), None);
        assert_eq!(search(&db, &vault, "欧阳").await, []);
        let own = vault.clone();
        assert_eq!(db.read(move |tx| own.text(tx, member(1), commitment)).await.unwrap(), None);
        let own = vault.clone();
        let error = db.write(move |tx| own.put_text(tx, member(1), commitment, b"note")).await.unwrap_err();
        assert!(matches!(error, VaultError::NoMember { .. }), "{error}");
    })
    .await;
}

#[tokio::test]
async fn case_57_hostile_names_are_text() {
    each(|db| async move {
        let (_folder, vault) = new_vault();
        let hostile = [
            "Robert'); DROP TABLE vault_member;--",
            "=HYPERLINK(\"x\")",
            "a\nb\u{1b}[31m",
            "<script>alert(1)</script>",
        ];
        for (number, name) in (1..).zip(hostile) {
            put(&db, &vault, member(number), named(name)).await;
            assert_eq!(reveal(&db, &vault, member(number)).await.unwrap().unwrap().name, name);
        }
    })
    .await;
}

/// The bytes of the database file, and of what a copy of one row into another would give.
#[tokio::test]
async fn threat_t13_the_database_alone_says_nothing() {
    let place = TestPlace::new(Engine::Sqlite).await;
    let db = Db::open(&place.url).await.unwrap();
    let (_folder, vault) = new_vault();
    put(&db, &vault, member(1), ouyang()).await;
    put(&db, &vault, member(2), named("张三")).await;
    db.close().await;
    let bytes = std::fs::read(&place.url).unwrap();
    let personal = ouyang();
    let document = personal.document.as_ref().unwrap().number.clone();
    for clear in
        [&personal.name, personal.mobile.as_ref().unwrap(), &document, "欧阳", "1949-12-31", "example.com"]
    {
        let needle = clear.as_bytes();
        assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{clear} stands in the file");
    }
    let raw = rusqlite::Connection::open(&place.url).unwrap();
    raw.execute(
        "UPDATE vault_member SET name = (SELECT name FROM vault_member WHERE member = ?1) WHERE member = ?2",
        (member(1).0, member(2).0),
    )
    .unwrap();
    drop(raw);
    let db = Db::open(&place.url).await.unwrap();
    let moved = reveal(&db, &vault, member(2)).await.unwrap_err();
    assert!(matches!(moved, VaultError::Sealed { column: "name", .. }), "{moved}");
    let (_other_folder, other) = new_vault();
    let foreign = reveal(&db, &other, member(1)).await.unwrap_err();
    assert!(matches!(foreign, VaultError::Sealed { column: "wrapped", .. }), "{foreign}");
    db.close().await;
    place.remove().await;
}

#[test]
fn goal_g23_debug_masks() {
    let text = format!("{:?}", ouyang());
    assert!(
        text.contains("欧阳*娜") && text.contains("138****1234") && text.contains("110105********002X"),
        "{text}"
    );
    for clear in ["欧阳娜娜", "13812341234", "11010519491231002X", "1949", "建国路", "nana"] {
        assert!(!text.contains(clear), "{clear} in {text}");
    }
}

#[test]
fn a_print_tells_likeness_and_nothing_to_who_has_no_key() {
    let ((_one, vault), (_other, stranger)) = (new_vault(), new_vault());
    let parts: [&[u8]; 2] = [b"mobile=", b"13812341234"];
    assert_eq!(vault.print(&parts), vault.clone().print(&parts));
    assert_ne!(vault.print(&parts), vault.print(&[b"mobile=", b"13812341235"]));
    assert_ne!(vault.print(&parts), stranger.print(&parts));
    assert_ne!(vault.print(&parts), Hash::of(&parts));
}
