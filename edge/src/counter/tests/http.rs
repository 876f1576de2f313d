//! The addresses as browsers and programs meet them, on a real socket and with a run loop that notes its orders.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use embedded_graphics::prelude::*;
use hufu_hardware::panel::{Depth, DeskPanel, Panel};
use hufu_shared::ids::CardId;
use hufu_shared::ids::OccurrenceId;
use hufu_shared::member::CardStatus;
use hufu_shared::money::Amount;
use hufu_shared::seal::OpenKey;
use hufu_shared::wire::lookup::{FoundCard, FoundMember, LookupAnswer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::samples::{NOW, afternoon, outcomes};
use crate::clock::{Clock, SystemClock};
use crate::counter::desk::Done;
use crate::counter::desk::{DeskOrder, FoundHere};
use crate::counter::guard::Guard;
use crate::counter::operators::Operators;
use crate::counter::port::{Declined, ModeOrder, Order, Port, ViewSink};
use crate::counter::routes::{BODY_BYTES_MAX, Counter, router};
use crate::counter::serve::serve;
use crate::locale::Language;
use crate::store::testing::booted;

const WAIT: Duration = Duration::from_secs(10);

/// A page on a port of its own; stops when dropped.
pub(super) struct Desk {
    address: SocketAddr,
    sink: ViewSink,
    orders: Arc<Mutex<Vec<Order>>>,
    panel: DeskPanel,
    _stop: watch::Sender<bool>,
}

/// A page whose run loop gives `answer` to every order.
async fn desk(answer: Result<(), Declined>) -> Desk {
    desk_answering(answer.map(|()| Done::Plain)).await
}

/// A page whose run loop gives `answer` to every order.
pub(super) async fn desk_answering(answer: Result<Done, Declined>) -> Desk {
    let (panel, shared) = DeskPanel::new(Size::new(320, 240), Depth::Rgb);
    let (port, ends) = Port::new(afternoon(), Some(shared));
    let orders = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&orders);
    let mut requests = ends.orders;
    tokio::spawn(async move {
        while let Some(request) = requests.recv().await {
            noted.lock().unwrap().push(request.order);
            let _ = request.reply.send(answer.clone());
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let guard = Guard::new(address, false, &[], Some("http://127.0.0.1:7099/")).unwrap();
    let counter = Counter {
        port,
        guard,
        seal_key: OpenKey::from_seed(&[7; 32]).seal_key(),
        simulator: Some("http://127.0.0.1:7099/".into()),
        language: Language::Zh,
        sounds: Arc::new(crate::counter::voice::Sounds::tones(70)),
        finds: scripted_centre(),
        tablets: None,
        contacts: tokio::sync::mpsc::channel(1).0,
        operators: no_operators(),
        now: Box::new(|| NOW),
    };
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(serve(listener, router(Arc::new(counter)), stopped));
    Desk { address, sink: ends.view, orders, panel, _stop: stop }
}

/// A centre that knows one member with a lost card, and hears nothing of 沉默.
fn scripted_centre() -> crate::state::FindSender {
    let (finds, mut asked) = tokio::sync::mpsc::channel::<crate::state::Finding>(1);
    tokio::spawn(async move {
        while let Some(finding) = asked.recv().await {
            let crate::state::Finding::Member { text, reply } = finding else { continue };
            let card = FoundCard { card: CardId([9; 16]), tail: "0042".into(), status: CardStatus::Lost };
            let member = FoundMember {
                name: Some("欧阳*玥".into()),
                mobile: Some("138****8000".into()),
                level: None,
                card: Some(card),
            };
            let found = LookupAnswer { found: vec![member], more: true, too_often: false };
            let _ = reply.send((text != "沉默").then_some(found));
        }
    });
    finds
}

/// A terminal that asks for nobody.
pub(in crate::counter) fn no_operators() -> Arc<Operators> {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::new(Arc::new(SystemClock::start()), NOW);
    Arc::new(Operators::load(&[], booted(folder.path()), clock).unwrap())
}

impl Desk {
    /// One request; the whole answer as text, `connection: close` added.
    async fn ask(&self, head: &str, headers: &[(&str, &str)], body: &str) -> String {
        let mut text = format!("{head} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            text.push_str(&format!("host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.push_str(body);
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(WAIT, socket.read_to_end(&mut answer)).await.unwrap().unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(super) async fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path}"), &[], "").await
    }

    pub(super) async fn form(&self, path: &str, body: &str) -> String {
        let origin = format!("http://{}", self.address);
        let kind = ("content-type", "application/x-www-form-urlencoded");
        self.ask(&format!("POST {path}"), &[kind, ("origin", &origin)], body).await
    }

    pub(super) fn orders(&self) -> Vec<Order> {
        self.orders.lock().unwrap().clone()
    }
}

pub(super) fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

#[tokio::test]
async fn look_up_the_page_asks_the_centre_first_and_says_when_only_its_own_list_was_searched() {
    let here = FoundHere { listed: 3, ..FoundHere::default() };
    let desk = desk_answering(Ok(Done::Found(here))).await;
    assert!(desk.get("/lookup").await.contains("姓名、手机号码或会员编号"));
    let found = desk.form("/lookup", "text=%E6%AC%A7%E9%98%B3").await;
    for part in ["欧阳*玥", "138****8000", "已挂失", "核对本人", "符合的会员较多", "value=\"欧阳\""]
    {
        assert!(found.contains(part), "{part} is missing in {found}");
    }
    assert!(desk.orders().is_empty(), "the own list is not asked while the centre answers");
    let silent = desk.form("/lookup", "text=%E6%B2%89%E9%BB%98").await;
    assert!(
        silent.contains("总部没有回应：已在本机名单（3 位）中查找") && silent.contains("没有找到"),
        "{silent}"
    );
    let short = desk.form("/lookup", "text=x").await;
    assert!(status(&short) == "422" && short.contains("请输入 2 到 40 个字"), "{short}");
    let card = CardId([9; 16]);
    let picked = desk.form("/lookup/pick", &format!("card={card}")).await;
    assert!(picked.contains("location: /\r\n"), "{picked}");
    assert_eq!(desk.orders().last(), Some(&Order::Desk(DeskOrder::Pick(card))));
    assert_eq!(status(&desk.form("/lookup/pick", "card=nobody").await), "422");
}

#[tokio::test]
async fn pages_carry_the_policy_and_are_not_kept() {
    let desk = desk(Ok(())).await;
    for path in ["/", "/status", "/help", "/panel", "/state.json", "/nowhere"] {
        let answer = desk.get(path).await;
        let policy = "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; font-src 'self'; media-src 'self'; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'; frame-src http://127.0.0.1:7099\r\n";
        assert!(answer.contains(policy), "{path}: {answer:.600}");
        assert!(answer.contains("cache-control: no-store") && answer.contains("nosniff"), "{path}");
    }
    let page = desk.get("/").await;
    assert!(page.contains("签到") && page.contains("lang=\"zh-CN\""));
    let css =
        page.split("rel=\"stylesheet\" href=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let answer = desk.get(css).await;
    assert!(status(&answer) == "200" && answer.contains("immutable") && answer.contains("text/css"));
    assert_eq!(status(&desk.get("/a/0000000000000000/counter.css").await), "404");
}

#[tokio::test]
async fn case_64_foreign_forms_and_foreign_names_change_nothing() {
    let desk = desk(Ok(())).await;
    let foreign = [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    for header in foreign {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let answer = desk.ask("POST /mode", &[kind, header], "mode=visit").await;
        assert_eq!(status(&answer), "403", "{header:?}");
    }
    let answer = desk.ask("GET /", &[("host", "evil.example")], "").await;
    assert_eq!(status(&answer), "421");
    for path in ["/mode?mode=visit", "/typed?number=1", "/notices?n=1", "/unshown?seq=1&verdict=undo"] {
        assert_eq!(status(&desk.get(path).await), "405", "{path}");
    }
    assert_eq!(desk.orders(), []);
}

#[tokio::test]
async fn forms_become_orders() {
    let desk = desk(Ok(())).await;
    let id = OccurrenceId([1; 16]);
    for (path, body, order) in [
        ("/mode", format!("mode={id}"), Order::SetMode(ModeOrder::CheckIn(id))),
        ("/mode", "mode=look_up".into(), Order::SetMode(ModeOrder::LookUp)),
        (
            "/mode",
            "mode=earn&amount=%EF%BC%93%EF%BC%92%EF%BC%90".into(),
            Order::SetMode(ModeOrder::Earn(Amount(32_000))),
        ),
        ("/typed/verdict", "n=3&verdict=yes".into(), Order::Confirm { n: 3 }),
        ("/typed/verdict", "n=3&verdict=no".into(), Order::Dismiss { n: 3 }),
        ("/notices", "n=9".into(), Order::Acknowledge { n: 9 }),
    ] {
        let answer = desk.form(path, &body).await;
        assert_eq!(status(&answer), "303", "{path}: {answer:.300}");
        assert!(answer.contains("location: /\r\n"));
        assert_eq!(desk.orders().pop(), Some(order));
    }
    let answer = desk.form("/typed", "number=VIP-0042").await;
    assert_eq!(status(&answer), "303");
    assert!(matches!(desk.orders().pop(), Some(Order::Typed(card)) if card.tail() == "0042"));
}

#[tokio::test]
async fn programs_set_the_mode_and_read_the_state_as_json() {
    let desk = desk(Ok(())).await;
    let kind = ("content-type", "application/json");
    let answer = desk.ask("POST /mode", &[kind], r#"{"mode":"earn","amount":"320.50"}"#).await;
    assert_eq!(status(&answer), "200");
    assert_eq!(desk.orders(), [Order::SetMode(ModeOrder::Earn(Amount(32_050)))]);
    let answer = desk.ask("POST /mode", &[kind], r#"{"mode":"earn","amount":"-1"}"#).await;
    assert!(status(&answer) == "422" && answer.contains("counter-declined-amount"), "{answer}");
    let answer = desk.ask("POST /mode", &[kind], r#"{"mode":"visit","role":"admin"}"#).await;
    assert_eq!(status(&answer), "422", "unknown fields are refused");
    let answer = desk.get("/state.json").await;
    let body: serde_json::Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body["view"]["link"]["online"], true);
    assert_eq!(body["view"]["mode"]["kind"], "check_in");
    assert_eq!(body["view"]["last"][2]["outcome"]["reason"], "R07");
    assert_eq!(body["view"]["zone"], "Asia/Shanghai");
}

#[tokio::test]
async fn ui_f01_a_wrong_amount_is_explained_and_kept() {
    let desk = desk(Ok(())).await;
    let answer = desk.form("/mode", "mode=earn&amount=12.345").await;
    assert_eq!(status(&answer), "422");
    assert!(answer.contains("金额不正确") && answer.contains("value=\"12.345\""));
    assert!(answer.contains("id=\"pane-earn\" class=\"tab\" checked"), "the same pane stays open");
    let answer = desk.form("/typed", "number=%3Cb%3E").await;
    assert!(status(&answer) == "422" && answer.contains("value=\"&#60;b&#62;\""));
    assert_eq!(desk.orders(), []);
    let long = "1".repeat(BODY_BYTES_MAX);
    let answer = desk.form("/mode", &format!("mode=earn&amount={long}")).await;
    assert!(status(&answer) == "422" && desk.orders().is_empty(), "{answer:.200}");
}

#[tokio::test]
async fn a_declined_order_says_why() {
    for (declined, code, words) in [
        (Declined::NotRunning, "409", "该活动现在不能签到"),
        (Declined::Amount, "409", "金额超出上限"),
        (Declined::Companions, "409", "随行人数不正确"),
        (Declined::Stale, "409", "页面内容已变化"),
        (Declined::Unable, "409", "终端暂时不能执行"),
        (Declined::Busy, "503", "终端未及时响应"),
    ] {
        let desk = desk(Err(declined)).await;
        let answer = desk.form("/mode", "mode=visit").await;
        assert!(status(&answer) == code && answer.contains(words), "{declined:?}");
    }
}

#[tokio::test]
async fn choices_of_a_reader_live_in_cookies() {
    let desk = desk(Ok(())).await;
    let answer = desk.get("/?lang=en&theme=dark&sound=off").await;
    assert_eq!(status(&answer), "303");
    for cookie in ["hufu-lang=en; Path=/", "hufu-theme=dark;", "hufu-sound=off;", "SameSite=Lax; HttpOnly"] {
        assert!(answer.contains(cookie), "{cookie}");
    }
    let cookies = ("cookie", "hufu-lang=en; hufu-theme=dark; hufu-sound=off");
    let page = desk.ask("GET /", &[cookies], "").await;
    for part in
        ["lang=\"en\"", "data-theme=\"dark\"", "data-muted=\"true\"", "Tap or swipe card", "Riverside One"]
    {
        assert!(page.contains(part), "{part}");
    }
    let answer = desk.get("/?lang=fr").await;
    assert!(status(&answer) == "200" && !answer.contains("set-cookie"));
}

#[tokio::test]
async fn ui_g07_a_live_page_hears_of_a_change_and_of_a_new_picture() {
    let mut desk = desk(Ok(())).await;
    let mut socket = TcpStream::connect(desk.address).await.unwrap();
    let request = format!("GET /live HTTP/1.1\r\nhost: {}\r\n\r\n", desk.address);
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut heard = String::new();
    expect(&mut socket, &mut heard, "event: view\ndata: 1\n").await;
    expect(&mut socket, &mut heard, "event: display\ndata: 0\n").await;
    assert!(heard.contains("text/event-stream"), "{heard}");

    let (_, accepted) = outcomes().into_iter().find(|(name, _)| name == "accepted").unwrap();
    desk.sink.publish(accepted.clone());
    expect(&mut socket, &mut heard, "event: view\ndata: 2\n").await;
    desk.sink.publish(accepted);
    desk.panel.frame_mut().set(Point::new(3, 4), embedded_graphics::pixelcolor::Rgb888::GREEN);
    desk.panel.flush().unwrap();
    expect(&mut socket, &mut heard, "event: display\ndata: 1\n").await;
    assert!(!heard.contains("data: 3"), "an equal snapshot wakes nobody");

    let panel = desk.get("/panel").await;
    assert!(panel.contains("data-version=\"2\"") && panel.contains("data-tones=\"880:140,1320:180\""));
    assert!(!panel.contains("<html"), "only the parts that change");
    assert!(desk.get("/display.png?v=1").await.contains("image/png"));
}

async fn expect(socket: &mut TcpStream, heard: &mut String, needle: &str) {
    let read = async {
        while !heard.contains(needle) {
            let mut bytes = [0; 4096];
            let count = socket.read(&mut bytes).await.unwrap();
            assert!(count > 0, "the stream ended before {needle:?}: {heard}");
            heard.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    };
    tokio::time::timeout(WAIT, read).await.unwrap_or_else(|_| panic!("no {needle:?}"));
}

#[tokio::test]
async fn a_stopped_terminal_closes_its_pages() {
    let desk = desk(Ok(())).await;
    let mut socket = TcpStream::connect(desk.address).await.unwrap();
    let request = format!("GET /live HTTP/1.1\r\nhost: {}\r\n\r\n", desk.address);
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut heard = String::new();
    expect(&mut socket, &mut heard, "event: view").await;
    desk._stop.send(true).unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(WAIT, socket.read_to_end(&mut rest)).await.expect("the stream is closed").ok();
}

#[tokio::test]
async fn forms_of_value_become_orders_and_what_is_wrong_is_said_on_the_pane_that_was_open() {
    let desk = desk(Ok(())).await;
    let good = [
        ("/mode", "mode=spend&points=%EF%BC%91%EF%BC%90%EF%BC%90&amount=&slip="),
        ("/mode", "mode=spend&points=&amount=20&slip=b+12"),
        ("/mode", "mode=top_up&amount=100&method=wechat&slip=A-7"),
        ("/mode", "mode=cash_out&amount=60&method=cash&slip=A-8"),
        ("/mode", "mode=earn&amount=320&slip=12&slip_date=2026-11-21&replaces=11&replaces_date="),
        ("/mode", "mode=report_lost"),
        ("/reverse", "seq=1205&slip=&slip_date=&points=40&amount=&reason=return&return_slip="),
        ("/reverse", "slip=b12&points=&amount=&reason=mistake&return_slip=R1"),
        (
            "/mode",
            "mode=earn&amount=800&slip=13&coupon=%EF%BC%92%EF%BC%90%EF%BC%90&goods=home&received=99%25",
        ),
        ("/mode", "mode=earn&amount=800&slip=14&coupon=&by_points=&goods=&received=100"),
    ];
    for (path, body) in good {
        assert_eq!(status(&desk.form(path, body).await), "303", "{body}");
    }
    let orders = desk.orders();
    assert_eq!(orders.len(), good.len());
    let Order::SetMode(ModeOrder::Spend { legs, slip: None }) = &orders[0] else { panic!("{:?}", orders[0]) };
    assert_eq!(*legs, [super::samples::pts(100)]);
    let Order::SetMode(ModeOrder::Spend { legs, slip: Some(slip) }) = &orders[1] else { panic!("a slip") };
    assert_eq!((legs.as_slice(), slip.number.as_str()), ([super::samples::cny(2_000)].as_slice(), "B12"));
    let Order::SetMode(ModeOrder::EarnSlip { replaces: Some(old), .. }) = &orders[4] else { panic!("earn") };
    assert_eq!(old.number, "11");
    let Order::SetMode(ModeOrder::CashOut { amount, method, slip }) = &orders[3] else { panic!("cash out") };
    assert_eq!((amount.0, method.as_str(), slip.number.as_str()), (6_000, "cash", "A-8"));
    let Order::SetMode(ModeOrder::EarnSlip { paid: Some(paid), .. }) = &orders[8] else { panic!("paid") };
    let told = (paid.coupon.0, paid.by_points.0, paid.goods.as_str(), paid.received_percent);
    assert_eq!(told, (20_000, 0, "home", 99), "K22, S7");
    assert!(matches!(&orders[9], Order::SetMode(ModeOrder::EarnSlip { paid: None, .. })), "a plain purchase");
    assert!(matches!(&orders[7], Order::TakeBack { reason, .. } if reason == "mistake"));
    let bad = [
        ("/mode", "mode=spend&points=&amount=", "积分不正确", "pane-spend"),
        ("/mode", "mode=top_up&amount=100&method=cash&slip=", "小票不正确", "pane-top_up"),
        ("/mode", "mode=top_up&amount=0&method=cash&slip=1", "金额不正确", "pane-top_up"),
        ("/mode", "mode=cash_out&amount=60&method=cash&slip=", "小票不正确", "pane-top_up"),
        ("/reverse", "slip=&reason=return", "小票不正确", "pane-reverse"),
        ("/mode", "mode=earn&amount=320&replaces=11", "小票不正确", "pane-earn"),
        ("/mode", "mode=earn&amount=320&coupon=20", "小票不正确", "pane-earn"),
        ("/mode", "mode=earn&amount=320&slip=1&received=101", "小票不正确", "pane-earn"),
    ];
    for (path, body, words, pane) in bad {
        let answer = desk.form(path, body).await;
        assert_eq!(status(&answer), "422", "{body}");
        assert!(answer.contains(words), "{body}: says what is wrong");
        let open = format!("id=\"{pane}\" class=\"tab\" checked");
        assert!(answer.contains(&open), "{body}: the pane stays open");
    }
    assert_eq!(desk.orders().len(), good.len(), "nothing wrong reached the loop");
}

#[tokio::test]
async fn a_return_that_is_declined_says_why() {
    for (why, words) in [
        (Declined::NothingLeft, "没有可退的记录"),
        (Declined::TooMuch, "超出可退数量"),
        (Declined::TooLate, "由总部办理撤销"),
        (Declined::SlipUsed, "退货小票号已使用过"),
    ] {
        let desk = desk(Err(why)).await;
        let answer = desk.form("/reverse", "seq=7&points=&amount=&reason=return").await;
        assert!(status(&answer) == "409" && answer.contains(words), "{why:?}");
    }
}
