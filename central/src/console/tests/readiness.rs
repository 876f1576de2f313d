//! What a terminal says of its readiness, at the console.

use hufu_shared::ids::DeviceId;
use hufu_shared::wire::readiness::Readiness;
use hufu_shared::wire::version::Version;

use super::kit::{Browser, Site, each};
use crate::db::{SqlFile, Tx};
use crate::store::StoreError;
use crate::store::contact::{self, Heartbeat};

static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));

/// The terminal polls and says this of itself.
async fn polls(site: &Site, ready: &str) -> DeviceId {
    let version = Version { epoch: 1, n: 1 };
    let beat = Heartbeat {
        address: "127.0.0.1".to_owned(),
        queued: 0,
        notices: 0,
        directory: version,
        block: version,
        readiness: Readiness::from_query(ready),
        health: None,
    };
    let now = site.app.now();
    let work = move |tx: &mut Tx<'_>| -> Result<DeviceId, StoreError> {
        let device = DeviceId(tx.query_one(PROBE.get("a_device"), &[])?.array(0)?);
        contact::heard(tx, device, &beat, now)?;
        Ok(device)
    };
    site.app.db.write(work).await.expect("heard")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_shows_what_lasts_until_when_and_which_rules_nobody_watches_offline() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let said = "directory.ready.1795579200000000,activity.look,leases.bad~lost_elsewhere,places";
        let device = polls(&site, said).await;
        let page = browser.get(&format!("/devices/{device}")).await;
        let shown = page.between("离线准备", "</section>").expect("a section");
        for part in [
            "badge bad\">未就绪",
            "断网可用到 2026-11-25 12:00",
            "会员资料</dt><dd><span class=\"badge ok\">可用到 2026-11-25 12:00",
            "活动</dt><dd><span class=\"badge wait\">请留意",
            "案场备用</dt><dd><span class=\"badge bad\">未就绪",
            "断网后在别处挂失的卡",
            "各终端合计的活动名额",
        ] {
            assert!(shown.contains(part), "{part} is missing in {shown}");
        }
        assert!(!shown.contains("同一销售单"), "only rules that the terminal named");
        assert!(browser.get("/devices").await.text.contains("<span class=\"badge bad\">未就绪</span>"));
        let told: serde_json::Value =
            serde_json::from_str(&browser.get("/api/v1/devices").await.text).expect("JSON");
        let devices = told["devices"].as_array().expect("a list");
        let ready =
            devices.iter().map(|line| &line["readiness"]).find(|ready| !ready.is_null()).expect("said");
        assert_eq!((&ready["grade"], &ready["parts"][0]["item"]), (&"bad".into(), &"directory".into()));
        polls(&site, "").await;
        assert!(browser.get(&format!("/devices/{device}")).await.text.contains("终端尚未报告"));
    })
    .await;
}
