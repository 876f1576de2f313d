//! `hufu-central schemes publish`: a scheme's next version, for terminals and ledger, from a day on.
//!
//! What was earned before keeps the version that rated it; the version is in force from today at the earliest. How points
//! end and who may join stand in the policy, which holds at once and for all points there are; it is touched only if that
//! is asked for, as far as the scheme speaks of it, and only with a version that begins today.

use anyhow::{Context as _, bail};
use hufu_shared::act::{Act, Actor};
use hufu_shared::ids::{EntryId, ID_RANDOM_BYTES};
use hufu_shared::scheme::{Scheme, SchemeTerms};
use hufu_shared::time::{Day, OfficeClock};

use super::PublishArgs;
use crate::app::App;
use crate::commands::EXIT_OK;
use crate::db::Tx;
use crate::jobs::publisher;
use crate::random;
use crate::store::{StoreError, acts, directory, schemes, world};

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
    if json {
        let told = serde_json::json!({
            "version": done.terms.version, "valid_from": done.terms.valid_from,
            "policy_differs": done.policy_differs, "policy_set": done.policy_set,
        });
        println!("{told}");
        return Ok(EXIT_OK);
    }
    println!("version {} in force from {} on", done.terms.version, done.terms.valid_from);
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
    if with_policy && valid_from > today {
        bail!(
            "--policy holds at once, for all points there are: ask for it with --from {today}, not {valid_from}"
        );
    }
    super::check_scope(&scheme)?;
    let ids: [[u8; ID_RANDOM_BYTES]; 2] = [random::bytes()?, random::bytes()?];
    let work = move |tx: &mut Tx<'_>| -> Result<Published, StoreError> {
        let known = directory::schemes(tx)?;
        let newest = known.iter().map(|terms| terms.version).max().unwrap_or(0);
        let waits = known.iter().filter(|terms| terms.valid_from > valid_from);
        let never_begins = waits.map(|terms| (terms.version, terms.valid_from)).collect();
        let terms = Scheme { version: newest.saturating_add(1), valid_from, ..scheme.clone() }.terms();
        let before = world::policy(tx)?;
        let mut policy = before.clone();
        scheme.write_into(&mut policy);
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
        Ok(Published { terms, never_begins, policy_differs, policy_set: policy_differs && with_policy })
    };
    let done = app.db.write(work).await.context("failed to take the new version")?;
    publisher::publish_now(&app.db).await?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::commands::init::{self, InitArgs};
    use crate::config::Config;
    use hufu_shared::policy::{ExpiryMode, FixedCutoff};
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
        let scoped = publish(&app, south, None, false).await.expect_err("it would be every office's");
        assert!(scoped.to_string().contains("scope_office_groups"), "{scoped}");

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
        app.db.close().await;
    }
}
