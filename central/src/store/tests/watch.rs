//! Contact by quarters of an hour, and limits of silence, on both databases.

use std::collections::BTreeMap;

use hufu_shared::ids::{DeviceId, OperatorId};
use hufu_shared::time::{DAY_US, Instant, MINUTE_US};

use super::asks::heard;
use super::kit::*;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::silence::{Watch, quarter};
use crate::store::watch::{self, OfficeWatch};

async fn of_day(db: &Db, device: Option<DeviceId>, now: Instant) -> BTreeMap<DeviceId, Vec<i64>> {
    db.read(move |tx| watch::of_day(tx, device, now)).await.expect("readable")
}

#[tokio::test(flavor = "multi_thread")]
async fn contact_is_kept_by_quarters_of_an_hour_and_forgotten_after_eight_days() {
    each(|db| async move {
        found(&db).await;
        for minutes in [0, 1, 14, 15, 47] {
            heard(&db, TERMINAL_A, NOON.offset(minutes * MINUTE_US)).await;
        }
        let (first, later) = (quarter(NOON), NOON.offset(60 * MINUTE_US));
        let met = BTreeMap::from([(TERMINAL_A, vec![first, first + 1, first + 3])]);
        assert_eq!(of_day(&db, None, later).await, met);
        assert_eq!(of_day(&db, Some(TERMINAL_A), later).await, met);
        assert!(of_day(&db, Some(TERMINAL_B), later).await.is_empty());
        assert!(of_day(&db, None, NOON.offset(2 * DAY_US)).await.is_empty(), "a day is shown");
        heard(&db, TERMINAL_A, NOON.offset(7 * DAY_US)).await;
        assert_eq!(of_day(&db, None, later).await, met, "a week is kept");
        heard(&db, TERMINAL_A, NOON.offset(9 * DAY_US)).await;
        assert!(of_day(&db, None, later).await.is_empty(), "more is not");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_silence_is_an_offices_own_and_the_last_one_holds() {
    each(|db| async move {
        found(&db).await;
        let offices = |db: Db| async move { db.read(watch::offices).await.expect("readable") };
        assert!(offices(db.clone()).await.is_empty(), "the default is nobody's");
        let nobody = OperatorId([9; 16]);
        for silent_minutes in [10, 45] {
            let set = Watch { silent_minutes, opens: 480, closes: 60 };
            db.write(move |tx| watch::set(tx, OFFICE_A, set, (nobody, NOON))).await.expect("set");
        }
        let kept = Watch { silent_minutes: 45, opens: 480, closes: 60 };
        let met = BTreeMap::from([(OFFICE_A, OfficeWatch { watch: kept, at: NOON, by: None })]);
        assert_eq!(offices(db.clone()).await, met);
    })
    .await;
}
