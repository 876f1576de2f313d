//! HTTP/2: the same limits, and streams that are reset in haste.

use super::*;

// ---- HTTP/2 ----

type Http2 = hyper::client::conn::http2::SendRequest<http_body_util::Full<bytes::Bytes>>;

async fn http2(server: &Server) -> (Http2, JoinHandle<Result<(), hyper::Error>>) {
    let io = hyper_util::rt::TokioIo::new(server.connect().await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    (sender, tokio::spawn(connection))
}

fn request(
    method: &str,
    path: &str,
    body: Vec<u8>,
) -> axum::http::Request<http_body_util::Full<bytes::Bytes>> {
    let request = axum::http::Request::builder().method(method).uri(format!("http://x{path}"));
    request.body(http_body_util::Full::new(body.into())).unwrap()
}

#[tokio::test]
async fn http2_is_served_under_the_same_limits() {
    let server = Server::start(Transport::Plain, Limits::default()).await;
    let (mut sender, _connection) = http2(&server).await;
    let answer = sender.send_request(request("GET", "/who", Vec::new())).await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer = sender.send_request(request("POST", "/length", vec![1; 2 << 20])).await.unwrap();
    assert_eq!(answer.status(), 413);
    let answer = sender.send_request(request("POST", "/long", vec![1; 2 << 20])).await.unwrap();
    assert_eq!(answer.status(), 200);
    let announced = sender.send_request(request("POST", "/long", vec![1; 17 << 20])).await;
    assert!(announced.is_err() || announced.unwrap().status() == 413);
    server.stop().await;
}

#[tokio::test]
async fn case_55_a_rapid_reset_ends_the_connection_and_others_are_served() {
    let server = Server::start(Transport::Plain, Limits::default()).await;
    let (mut sender, connection) = http2(&server).await;
    // Each request is given up as soon as it is sent: the peer sees a stream opened and reset.
    let mut sent = 0;
    while sent < 100_000 && !connection.is_finished() {
        if sender.ready().await.is_err() {
            break;
        }
        let pending = sender.send_request(request("GET", "/slow", Vec::new()));
        drop(timeout(Duration::from_micros(50), pending).await);
        sent += 1;
    }
    let ended = timeout(TEST_LIMIT, connection).await.expect("the server ended the connection").unwrap();
    assert!(ended.is_err() && sent < 100_000, "{ended:?} after {sent}");
    assert!(server.get("/who").await.unwrap().contains("200 OK"));
    server.stop().await;
}

#[tokio::test]
async fn case_55_a_head_beyond_its_limit_is_refused() {
    let server = Server::start(Transport::Plain, Limits::default()).await;
    let (mut sender, _connection) = http2(&server).await;
    let mut large = request("GET", "/who", Vec::new());
    large.headers_mut().insert("x-large", "a".repeat(20 * 1024).parse().unwrap());
    let answer = sender.send_request(large).await;
    assert!(answer.is_err() || answer.unwrap().status() == 431);
    let many: String = (0..200).map(|n| format!("x-{n}: a\r\n")).collect();
    let head = format!("GET /who HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    let answer = exchange(server.connect().await, &head).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let limits = Limits { idle_timeout: Duration::from_secs(2), ..Limits::default() };
    let server = Server::start(Transport::Plain, limits).await;
    let (mut sender, connection) = http2(&server).await;
    sender.send_request(request("GET", "/who", Vec::new())).await.unwrap();
    let start = clock();
    let _ = timeout(TEST_LIMIT, connection).await.expect("the server closed it").unwrap();
    assert!((1..8).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    server.stop().await;
}
