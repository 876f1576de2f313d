//! Allowances and recovery at the console, through its routes, on both databases.

use axum::http::StatusCode;
use hufu_shared::act::{Act, Actor, LeaseCause, LeaseSet};
use hufu_shared::ids::{DeviceId, LeaseId, MemberId, OperatorId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::wire::lease::LeaseTerms;
use hufu_shared::wire::version::{CentralEpoch, Version};

use super::kit::{Browser, PASSWORD, Page, Site, each};
use crate::console::password;
use crate::db::{SqlFile, Tx};
use crate::store::{StoreError, leases, staff, world};

static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));

pub const LEASE: LeaseId = LeaseId([0x1e; 16]);
const POINTS: i64 = 5;

async fn take(site: &Site, act: Act) {
    site.app.act(Actor::Job("test".to_owned()), act).await.expect("taken");
}

/// Sets points of somebody aside at a terminal.
async fn set_aside(site: &Site) -> (DeviceId, MemberId) {
    let who = |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        Ok(MemberId(tx.query_one(PROBE.get("with_points"), &[POINTS.into()])?.array(0)?))
    };
    let member = site.app.db.read(who).await.expect("somebody has points");
    (lend(site, member, POINTS).await, member)
}

/// Sets points of a member aside at a terminal, under [`LEASE`].
pub async fn lend(site: &Site, member: MemberId, points: i64) -> DeviceId {
    let first = |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        Ok(DeviceId(tx.query_one(PROBE.get("a_device"), &[])?.array(0)?))
    };
    let device = site.app.db.read(first).await.expect("a terminal");
    let terms = LeaseTerms { ttl_s: 86_400, reboot_cost_s: 7_200, reboots_max: 3 };
    let set = LeaseSet {
        lease: LEASE,
        generation: 1,
        device,
        member,
        unit: Unit::Pts,
        granted_total: Amount(points),
        terms,
        version: Version { epoch: 1, n: 1 },
        cause: LeaseCause::Granted,
    };
    take(site, Act::LeaseSet(set)).await;
    device
}

fn figure(page: &Page) -> &str {
    page.between("可用积分</dt><dd class=\"big\">", "<").expect("a figure")
}

fn told(page: &Page) -> &str {
    page.between("role=\"alert\" tabindex=\"-1\">", "<").unwrap_or_default()
}

pub async fn second_admin(site: &Site) {
    let hashed = password::hash(PASSWORD).expect("hash");
    let (id, now) = (OperatorId([0x22; 16]), site.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        staff::add(tx, id, "second", "第二人", &hashed, now)?;
        staff::set_password(tx, id, &hashed, false)
    };
    site.app.db.write(work).await.expect("added");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowance_is_one_figure_to_the_member_and_written_off_by_two() {
    each(|site| async move {
        let browser_site = &site;
        let before_page = |member: MemberId| format!("/members/{member}");
        let mut browser = Browser::signed_in(browser_site).await;
        let (device, member) = set_aside(&site).await;
        let page = browser.get(&before_page(member)).await;
        let whole = figure(&page).to_owned();
        assert!(page.text.contains(&format!("案场备用 {POINTS}")), "and how it divides");
        assert!(page.text.contains(&format!("{POINTS} 分在")), "where it lies");
        let path = format!("/devices/{device}");
        let page = browser.get(&path).await;
        assert!(page.text.contains("俱乐部最多损失"), "the cost stands there before the click");
        let lease = format!("{LEASE}/1");
        let off = format!("{path}/leases");
        let alone = [("lease", lease.as_str()), ("reason", "终端被盗")];
        let refused = browser.post(&off, &alone).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(told(&refused), "须由第二位管理员输入登录名和密码会签。");
        let same = [alone[0], alone[1], ("second", "admin"), ("password", PASSWORD)];
        assert_eq!(told(&browser.post(&off, &same).await), "会签人须是另一位管理员。");
        second_admin(&site).await;
        let wrong = [alone[0], alone[1], ("second", "second"), ("password", "not it")];
        assert_eq!(told(&browser.post(&off, &wrong).await), "第二位管理员的登录名或密码不正确。");
        let open = site.app.db.read(move |tx| leases::open_at(tx, device)).await.expect("read");
        assert!(open.iter().any(|row| row.lease == LEASE), "nothing happened so far");
        let both = [alone[0], alone[1], ("second", "second"), ("password", PASSWORD)];
        let done = browser.post(&off, &both).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", told(&done));
        let open = site.app.db.read(move |tx| leases::open_at(tx, device)).await.expect("read");
        assert!(open.iter().all(|row| row.lease != LEASE));
        assert_eq!(
            figure(&browser.get(&before_page(member)).await),
            whole,
            "the member's figure is the same"
        );
        assert_eq!(told(&browser.post(&off, &both).await), "这笔备用已收回或已核销。");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_ends_the_wait_of_a_recovery_knowing_what_it_may_cost() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        assert!(browser.get("/recovery").await.text.contains("没有正在进行的恢复"));
        take(&site, Act::EpochBegun(CentralEpoch { n: 2, bits: 9 })).await;
        assert!(browser.get("/").await.text.contains("href=\"/recovery\""), "every page says so");
        let page = browser.get("/recovery").await;
        for words in ["尚未上报", "已失联 7 天以上", "最大损失", "¥"] {
            assert!(page.text.contains(words), "{words}");
        }
        let seen = page.between("name=\"seen\" value=\"", "\"").expect("a form").to_owned();
        assert!(!seen.is_empty(), "somebody is waited for");
        let refused = browser.post("/recovery", &[("seen", &seen), ("reason", "")]).await;
        assert_eq!((refused.status, told(&refused)), (StatusCode::UNPROCESSABLE_ENTITY, "请填写原因。"));
        let other = browser.post("/recovery", &[("seen", "another list"), ("reason", "终端已报废")]).await;
        assert_eq!(told(&other), "其间又有终端上报，请重新核对名单。");
        let done = browser.post("/recovery", &[("seen", &seen), ("reason", "终端已报废")]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
        let recovery = site.app.db.read(world::recovery).await.expect("read");
        assert_eq!((recovery.epoch, recovery.since), (2, None));
        assert!(!browser.get("/").await.text.contains("href=\"/recovery\""));
    })
    .await;
}
