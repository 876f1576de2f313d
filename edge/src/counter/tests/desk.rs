//! The desk pages as browsers meet them: what is typed is sealed before it becomes an order.

use hufu_shared::form::FormContent;
use hufu_shared::seal::OpenKey;
use hufu_shared::time::Instant;

use super::http::{desk_answering, status};
use crate::counter::desk::{DeskOrder, Done, Taken, Taking, What};
use crate::counter::port::{Declined, Order};

const ONCE: &str = "000102030405060708090a0b0c0d0e0f";

fn taken() -> Taken {
    Taken {
        seq: 9,
        receipt: Some("A01-261122-0101-9".into()),
        promised: Some(Instant(1_795_400_000_000_000)),
    }
}

#[tokio::test]
async fn goal_g23_a_form_becomes_an_order_that_only_the_centre_can_read() {
    let desk = desk_answering(Ok(Done::Form(taken()))).await;
    let body = format!("form=visit&once={ONCE}&title=%E6%AC%A7%E9%98%B3&mobile=13800138000&consent=yes");
    let answer = desk.form("/walkin", &body).await;
    assert_eq!(status(&answer), "200");
    assert!(answer.contains("来访已登记") && answer.contains("no-store"), "{answer:.400}");
    // One tap to the application, filled in as far as the visit says.
    assert!(answer.contains("转为入会申请") && answer.contains("value=\"13800138000\""));
    let orders = desk.orders();
    let [Order::Desk(DeskOrder::TakeForm(Taking { what: What::Visit, form, consent, guest: None, .. }))] =
        orders.as_slice()
    else {
        panic!("{orders:?}")
    };
    assert_eq!(consent.as_deref(), Some("contact-1"));
    assert!(!format!("{orders:?}").contains("13800138000"), "nothing readable in an order");
    let key = OpenKey::from_seed(&[7; 32]);
    let content = FormContent::open(&key, form.commitment, &form.sealed).expect("the centre reads it");
    assert_eq!((content.get("title"), content.get("mobile")), (Some("欧阳"), Some("13800138000")));
}

#[tokio::test]
async fn a_wrong_form_is_kept_and_a_declined_one_says_why() {
    let desk = desk_answering(Ok(Done::Form(taken()))).await;
    let answer = desk.form("/walkin", &format!("form=apply&once={ONCE}&name=&mobile=1&consent=yes")).await;
    assert_eq!(status(&answer), "422");
    assert!(answer.contains("请填写此项") && answer.contains(ONCE), "the same form is sent again");
    assert_eq!(desk.orders(), [], "nothing wrong reached the loop");
    let body =
        format!("form=complaint&once={ONCE}&kind=sales&matter=%E5%90%B5&urgency=normal&hours=48&guest=7");
    let answer = desk.form("/walkin", &body).await;
    assert!(answer.contains("A01-261122-0101-9") && answer.contains("最迟答复时间"));
    let gone = desk_answering(Err(Declined::Stale)).await;
    let answer = gone.form("/walkin", &format!("form=change&once={ONCE}&mobile=13800138000&guest=7")).await;
    assert!(status(&answer) == "409" && answer.contains("页面内容已变化"), "another card was shown");
    assert_eq!(status(&gone.form("/walkin", "form=visit&once=zz&title=a&consent=yes").await), "422");
}

#[tokio::test]
async fn a_shift_is_opened_and_closed_with_a_count() {
    let desk = desk_answering(Ok(Done::Shift(Box::default()))).await;
    let answer = desk.form("/shift", "act=open&cash=500&gifts=40&blank_cards=12").await;
    assert!(status(&answer) == "200" && answer.contains("已开班"));
    let orders = desk.orders();
    assert!(matches!(orders[0], Order::Desk(DeskOrder::OpenShift(_))), "{orders:?}");
    assert_eq!(status(&desk.form("/shift", "act=close&cash=&gifts=x&blank_cards=1").await), "422");
    for path in ["/today", "/shift", "/walkin?form=complaint", "/walkin?form=change"] {
        assert_eq!(status(&desk.get(path).await), "200", "{path}");
    }
    assert!(desk.get("/walkin?form=change").await.contains("请先在前台页面请会员刷卡"));
    let declined = desk_answering(Err(Declined::NoReason)).await;
    let answer = declined.form("/shift", "act=close&cash=1&gifts=1&blank_cards=1").await;
    assert!(status(&answer) == "409" && answer.contains("请选择差异原因"));
}
