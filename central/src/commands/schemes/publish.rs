//! `hufu-central schemes publish`: a scheme's next version, for terminals and ledger, from a day on.
//!
//! What was earned before keeps the version that rated it; the version is in force from today at the earliest, for the
//! offices and kinds of members that it is for ([`super::scope`]). How points
//! end and who may join stand in the policy, which holds at once and for all points there are; it is touched only if that
//! is asked for, as far as the scheme speaks of it, and only with a version that begins today.

use anyhow::{Context as _, bail};
use hufu_shared::act::{Act, Actor};
use hufu_shared::ids::{EntryId, ID_RANDOM_BYTES};
use hufu_shared::policy::Policy;
use hufu_shared::scheme::{Scheme, SchemeTerms};
use hufu_shared::time::{Day, OfficeClock};

use super::PublishArgs;
use super::scope::{NotForThese, check, scope_of};
use crate::app::App;
use crate::commands::EXIT_OK;
use crate::db::Tx;
use crate::jobs::publisher;
use crate::random;
use crate::store::{StoreError, acts, directory, journal, schemes, world};

/// What a publication does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What terminals get.
    pub terms: SchemeTerms,
    /// Versions that were to begin after this one, with their day: a newer version goes before them.
    pub never_begins: Vec<(u32, Day)>,
    /// Whether the policy in force says something else of ends of points or of joining.
    pub policy_differs: bool,
    /// Whether it was set.
    pub policy_set: bool,
}

/// Runs the command.
///
/// # Errors
/// If the scheme cannot be used, the day has passed, or the database fails.
pub async fn run(args: &PublishArgs, app: &App, json: bool) -> anyhow::Result<u8> {
    let (scheme, text) = super::load(&args.name)?;
    let scheme_told = scheme.clone();
    let actor = Actor::Command("schemes publish".to_owned());
    let done = publish_text(app, (scheme, Some(text)), (args.from, args.policy), actor).await?;
    let (offices, kinds) = (done.terms.offices().len(), done.terms.member_kinds());
    if json {
        let told = serde_json::json!({
            "version": done.terms.version, "valid_from": done.terms.valid_from, "scope": done.terms.scope,
            "policy_differs": done.policy_differs, "policy_set": done.policy_set,
        });
        println!("{told}");
        return Ok(EXIT_OK);
    }
    println!("version {} in force from {} on", done.terms.version, done.terms.valid_from);
    if offices > 0 {
        println!("for {offices} offices, those of its groups by now");
    }
    if !kinds.is_empty() {
        println!("for members of the kinds {}", kinds.join(", "));
    }
    if let Some(last) = done.terms.last_day() {
        println!("until {last}: the version that says less, or is older, holds afterwards");
    }
    for (version, from) in &done.never_begins {
        println!("version {version} was to begin on {from}: a newer one is in force then, publish it again");
    }
    super::tell_not_done(&scheme_told);
    match (done.policy_differs, done.policy_set) {
        (_, true) => println!("policy set: ends of points and terms of joining hold from now on"),
        (true, false) => {
            println!(
                "the policy in force says otherwise how points end or who may join; --policy sets it at once"
            );
        }
        (false, false) => {}
    }
    Ok(EXIT_OK)
}

/// Publishes a scheme as the club's next version.
///
/// # Errors
/// If the day has passed or the database fails.
pub async fn publish(
    app: &App,
    scheme: Scheme,
    from: Option<Day>,
    with_policy: bool,
) -> anyhow::Result<Published> {
    let actor = Actor::Command("schemes publish".to_owned());
    publish_text(app, (scheme, None), (from, with_policy), actor).await
}

/// The same for somebody, with the text that the scheme was read from: it is kept for whoever writes the next version.
///
/// # Errors
/// As [`publish`].
pub async fn publish_text(
    app: &App,
    (scheme, text): (Scheme, Option<String>),
    (from, with_policy): (Option<Day>, bool),
    actor: Actor,
) -> anyhow::Result<Published> {
    let now = app.clock.now();
    let today = OfficeClock::default().business_day(now);
    let valid_from = from.unwrap_or_else(|| today.plus(1));
    if valid_from < today {
        bail!("a version begins today ({today}) or later, not on {valid_from}: what is past stays as it was");
    }
    let is_for_all = scheme.scope(Vec::new()).is_none() && scheme.scope_office_groups.is_empty();
    if with_policy && !is_for_all {
        bail!("--policy holds for the whole club and without an end: a version with a scope cannot set it");
    }
    if with_policy && valid_from > today {
        bail!(
            "--policy holds at once, for all points there are: ask for it with --from {today}, not {valid_from}"
        );
    }
    let ids: [[u8; ID_RANDOM_BYTES]; 2] = [random::bytes()?, random::bytes()?];
    let work = move |tx: &mut Tx<'_>| -> Result<Result<Published, NotForThese>, StoreError> {
        // Versions and policy are read when nobody else can publish any more.
        journal::pass_gate(tx, now)?;
        let (terms, before) = match next_version(tx, &scheme, valid_from)? {
            Ok(made) => made,
            Err(why) => return Ok(Err(why)),
        };
        let known = directory::schemes(tx)?;
        let waits = known.iter().filter(|other| terms.overtakes(other));
        let never_begins = waits.map(|terms| (terms.version, terms.valid_from)).collect();
        let mut policy = before.clone();
        // A version for some leaves what is one for the whole club as it is.
        if terms.scope.is_none() {
            scheme.write_into(&mut policy);
        }
        let policy_differs = policy != before;
        let mut wanted = vec![Act::SchemeSet(terms.clone())];
        if policy_differs && with_policy {
            wanted.push(Act::PolicySet(Box::new(policy)));
        }
        if let Some(text) = &text {
            schemes::put(tx, terms.version, text, (&actor, now))?;
        }
        for (act, id) in wanted.iter().zip(&ids) {
            acts::take(tx, EntryId::new(now, *id), now, &actor, act)?;
        }
        Ok(Ok(Published { terms, never_begins, policy_differs, policy_set: policy_differs && with_policy }))
    };
    let done = app.db.write(work).await.context("failed to take the new version")??;
    publisher::publish_now(&app.db).await?;
    Ok(done)
}

/// The terms of a scheme as the club's next version, and the policy in force.
fn next_version(
    tx: &mut Tx<'_>,
    scheme: &Scheme,
    valid_from: Day,
) -> Result<Result<(SchemeTerms, Policy), NotForThese>, StoreError> {
    let (known, policy) = (directory::schemes(tx)?, world::policy(tx)?);
    let newest = known.iter().map(|terms| terms.version).max().unwrap_or(0);
    let scope = match scope_of(tx, scheme)? {
        Ok(scope) => scope,
        Err(why) => return Ok(Err(why)),
    };
    let terms = Scheme { version: newest.saturating_add(1), valid_from, ..scheme.clone() }.terms();
    let terms = SchemeTerms { scope, ..terms };
    Ok(check((scheme, &terms), &known, &policy).map(|()| (terms, policy)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::commands::init::{self, InitArgs};
    use crate::config::Config;
    use hufu_shared::ids::OfficeId;
    use hufu_shared::member::OfficeRow;
    use hufu_shared::policy::{ExpiryMode, FixedCutoff};
    use hufu_shared::scheme::Words;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_club_is_founded_with_a_scheme_and_gets_a_later_version_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config::default();
        config.data.dir = folder.path().join("data");
        let args = InitArgs {
            names: vec!["localhost".to_owned()],
            admin: "admin".to_owned(),
            scheme: "S".to_owned(),
            founded: None,
            json: true,
        };
        init::run(&args, &config, &SystemClock).await.expect("a club");
        let app = App::open(config, Arc::new(SystemClock)).await.expect("opens");
        let s3 = ExpiryMode::FixedCutoff(FixedCutoff::RULE_S3);
        let policy = app.db.read(world::policy).await.expect("a policy");
        assert_eq!(policy.expiry, s3, "what the scheme says of the end of points holds from the first day");
        let today = OfficeClock::default().business_day(app.clock.now());

        let past =
            publish(&app, super::super::load("P").expect("shipped").0, Some(today.plus(-1)), true).await;
        assert!(past.expect_err("the past").to_string().contains("stays as it was"));

        let pharmacy = super::super::load("P").expect("shipped").0;
        let done = publish(&app, pharmacy.clone(), None, false).await.expect("published");
        assert_eq!((done.terms.version, done.terms.valid_from), (2, today.plus(1)));
        assert_eq!(done.terms.earn.map(|earn| (earn.per_fen, earn.points)), Some((100, 1)));
        assert_eq!((done.policy_differs, done.policy_set), (true, false));
        assert_eq!(app.db.read(world::policy).await.expect("a policy").expiry, s3, "untouched");

        let later = publish(&app, pharmacy.clone(), Some(today.plus(9)), true).await;
        assert!(later.expect_err("the policy holds at once").to_string().contains("--policy holds at once"));
        let south = Scheme { scope_office_groups: vec!["south".to_owned()], ..pharmacy.clone() };
        let nowhere = publish(&app, south.clone(), None, false).await.expect_err("nobody could be meant");
        assert!(nowhere.to_string().contains("no office is of the group \"south\""), "{nowhere}");
        let whole = publish(&app, south, Some(today), true).await.expect_err("one for the whole club");
        assert!(whole.to_string().contains("--policy holds for the whole club"), "{whole}");

        let done = publish(&app, pharmacy, Some(today), true).await.expect("published");
        assert_eq!((done.terms.version, done.policy_set), (3, true));
        assert_eq!(
            done.never_begins,
            [(2, today.plus(1))],
            "the version of tomorrow has a newer one before it"
        );
        assert_eq!(app.db.read(world::policy).await.expect("a policy").expiry, ExpiryMode::Never);
        let versions = app.db.read(directory::schemes).await.expect("schemes");
        assert_eq!(versions.iter().map(|terms| terms.version).collect::<Vec<_>>(), [1, 2, 3]);
        publishes_for_some(&app, today).await;
        app.db.close().await;
    }

    /// One office is of the group `south`; what a scheme for it says goes by the version, and by nothing else.
    async fn publishes_for_some(app: &App, today: Day) {
        let office = OfficeRow {
            office: OfficeId([7; 16]),
            code: "S01".to_owned(),
            name: Words { zh: "南店".to_owned(), en: "South".to_owned() },
            clock: OfficeClock::default(),
            group: Some("south".to_owned()),
        };
        let actor = Actor::Command("test".to_owned());
        app.act(actor, Act::OfficeSet(office)).await.expect("taken");
        let earnings = super::super::load("P").expect("shipped").0.earnings;
        let own = Scheme {
            scope_office_groups: vec!["south".to_owned()],
            scope_member_kinds: vec!["dealer".to_owned()],
            valid_to: Some(today.plus(30)),
            earnings,
            ..Scheme::empty("south", 1, today)
        };
        let policy = app.db.read(world::policy).await.expect("a policy");
        let done = publish(app, own.clone(), Some(today), false).await.expect("published");
        assert_eq!((done.terms.version, done.terms.offices()), (4, &[OfficeId([7; 16])][..]));
        assert_eq!(
            (done.terms.member_kinds(), done.terms.last_day()),
            (&own.scope_member_kinds[..], own.valid_to)
        );
        assert_eq!((done.policy_differs, done.never_begins), (false, vec![]));
        assert_eq!(app.db.read(world::policy).await.expect("a policy"), policy, "as it was");
        let stored = app.db.read(directory::schemes).await.expect("schemes").pop();
        assert_eq!(stored, Some(done.terms), "terminals are told of it");
        for (wrong, word) in [
            (
                Scheme { scope_member_kinds: vec!["dealer".to_owned(), "ota".to_owned()], ..own.clone() },
                "version 4",
            ),
            (Scheme { scope_member_kinds: vec!["stranger".to_owned()], ..own.clone() }, "stranger"),
            (Scheme { valid_to: Some(today.plus(-1)), ..own }, "valid_to"),
        ] {
            let refused = publish(app, wrong, Some(today), false).await.expect_err(word).to_string();
            assert!(refused.contains(word), "{refused}");
        }
    }
}
