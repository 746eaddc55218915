//! The event stream: bounded for each who listens, at no cost to those who decide.

#![allow(clippy::disallowed_methods, reason = "what real readers cost is measured by the real clock")]

use crate::harness::{Server, until};
use reqwest::Method;
use runplane_server::events::MOST_OF_ONE;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Asks for events like a client that then reads nothing, and takes in as little as it can.
async fn deaf(server: &Server, after: Option<u64>) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    let (token, query) =
        (&server.installed.admin_token, after.map_or(String::new(), |after| format!("?after={after}")));
    let request = format!(
        "GET /api/v1/events{query} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Decides so many calls, some at once, and says in what time.
async fn decide(server: &Server, count: usize) -> (Vec<String>, Duration) {
    let begin = Instant::now();
    let mut made = Vec::with_capacity(count);
    while made.len() < count {
        let some =
            (0..50).map(|_| server.guard_later(json!({ "action": { "type": "read_balance", "target": "stripe" } })));
        for answer in some.collect::<Vec<_>>() {
            let answer = answer.await.unwrap();
            assert_eq!(answer.text("decision"), "ALLOW", "{answer:?}");
            made.push(answer.text("requestId").to_owned());
        }
    }
    (made, begin.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_that_do_not_read_slow_no_decision_and_miss_nothing_once_they_do() {
    let server = Server::start().await;
    let (_, alone) = decide(&server, 300).await;
    let mut listeners = Vec::new();
    for _ in 0..MOST_OF_ONE - 1 {
        listeners.push(deaf(&server, None).await);
    }
    until("all listen", || server.app.streams.taken() >= MOST_OF_ONE - 1).await;
    let (made, beside) = decide(&server, 1_500).await;
    // Five times as many; one that waited for a listener would never come.
    assert!(beside < 25 * alone + Duration::from_secs(2), "{beside:?} beside listeners, {alone:?} alone");
    assert_eq!(server.app.streams.taken(), MOST_OF_ONE - 1, "they are still there, and nothing is queued for them");

    let mut first = listeners.swap_remove(0);
    drop(listeners);
    let mut read = String::new();
    let mut piece = vec![0; 65_536];
    while made.iter().rev().take(50).any(|id| !read.contains(id.as_str())) {
        let length = tokio::time::timeout(Duration::from_secs(60), first.read(&mut piece)).await.unwrap().unwrap();
        assert!(length > 0, "the stream ended early");
        read.push_str(&String::from_utf8_lossy(&piece[..length]));
    }
    let ids: Vec<u64> = read.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect();
    assert!(ids.is_sorted(), "in the order of the ledger");
    let missed = made.iter().filter(|id| !read.contains(id.as_str())).count();
    assert_eq!(missed, 0, "nothing is left out for having been slow");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_has_few_streams_and_keeps_nobody_else_from_theirs() {
    let server = Server::start().await;
    let ada = server.person("viewer").await;
    let (_, key) = server.agent("greedy").await;
    let open = async || server.client.get(server.url("/api/v1/events")).bearer_auth(&key).send().await.unwrap();
    let mut streams = Vec::new();
    for _ in 0..MOST_OF_ONE {
        let stream = open().await;
        assert_eq!(stream.status(), 200);
        streams.push(stream);
    }
    let refused = open().await;
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (503, true));
    let hers = server.browser(&ada, Method::GET, "/api/v1/events").send().await.unwrap();
    assert_eq!(hers.status(), 200, "another client still gets its own");
    drop(streams);
    let begin = Instant::now();
    while open().await.status() != 200 {
        assert!(begin.elapsed() < Duration::from_secs(30), "what was left is not free again");
        server.act("read_balance", "stripe", json!({})).await;
    }
}

/// What is too long ago to be told is skipped, and said to be.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_for_too_long_is_told_of_a_gap() {
    // Twenty thousand decisions take a while.
    if std::env::var_os("RUNPLANE_FULL").is_none_or(|value| value != "1") {
        return;
    }
    let server = Server::start().await;
    decide(&server, 20_100).await;
    let size = server.entries().len();
    let mut stream = deaf(&server, Some(0)).await;
    let mut read = String::new();
    let mut piece = vec![0; 65_536];
    while !read.contains("event: gap") {
        let length = tokio::time::timeout(Duration::from_secs(60), stream.read(&mut piece)).await.unwrap().unwrap();
        assert!(length > 0, "the stream ended early");
        read.push_str(&String::from_utf8_lossy(&piece[..length]));
    }
    assert!(read.contains(&format!("data: {{\"from\":1,\"to\":{size}}}")), "{read}");
    assert!(!read.contains("event: decision"), "{read}");
}
