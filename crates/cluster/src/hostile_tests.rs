//! The client against a server that answers as it likes.

use std::convert::Infallible;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use capi::{ResourceType, well_known};
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use support::journal::{Event, Events};
use tokio::net::TcpListener;

use super::*;

/// Makes the answer to the request of this number.
type Answering = fn(usize) -> Response<Full<Bytes>>;

/// A client of a server, which counts its requests.
async fn client_of(answering: Answering) -> (Client, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            let service = service_fn(move |_: Request<Incoming>| {
                let answer = answering(counter.fetch_add(1, Ordering::Relaxed));
                async move { Ok::<_, Infallible>(answer) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    let client = connect(&format!("http://{address}")).await;
    let retry = RetryPolicy { attempts: 2, first_pause: Duration::ZERO, ..RetryPolicy::default() };
    (client.with_retry(retry), requests)
}

async fn connect(server: &str) -> Client {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    write!(
        file,
        "{{apiVersion: v1, kind: Config, current-context: c,\nclusters: [{{name: c, cluster: \
         {{server: \"{server}\"}}}}],\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}], \
         users: [{{name: u, user: {{}}}}]}}"
    )
    .expect("written");
    let client = Client::connect("source", &KubeconfigRef::file(file.path())).await;
    client.expect("a client")
}

fn answer(body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::new(Full::new(body.into()))
}

fn secrets() -> ResourceType {
    well_known::secret()
}

/// gzip of so many runs of 258 bytes `x`: one block of DEFLATE with fixed codes, each run a
/// reference of 13 bits (RFC 1951, 3.2.6).
fn gzip_bomb(runs: usize) -> Vec<u8> {
    const RUN: [bool; 13] = [
        true, true, false, false, false, true, false, true, // length 258
        false, false, false, false, false, // distance 1
    ];
    let literal = (0..8).rev().map(|bit| (0x30 + u32::from(b'x')) >> bit & 1 == 1);
    let mut bits = vec![true, true, false];
    bits.extend(literal);
    (0..runs).for_each(|_| bits.extend(RUN));
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    bytes.extend(bits.chunks(8).map(|bits| {
        bits.iter().enumerate().fold(0_u8, |byte, (at, bit)| byte | u8::from(*bit) << at)
    }));
    bytes
}

#[tokio::test]
async fn an_answer_that_is_no_list_is_tried_again_and_then_an_error() {
    for body in ["{}", "<html>Log in</html>", "{\"kind\": \"SecretList\", \"items\": []}"] {
        let (client, requests) = client_of(match body {
            "{}" => |_| answer("{}"),
            "<html>Log in</html>" => |_| answer("<html>Log in</html>"),
            _ => |_| answer("{\"kind\": \"SecretList\", \"items\": []}"),
        })
        .await;
        let error = client.list(&secrets(), None).await.expect_err(body);
        assert!(matches!(error.cause, ApiErrorCause::Malformed(_)), "{body}: {:?}", error.cause);
        assert_eq!(requests.load(Ordering::Relaxed), 2, "{body}");
    }
}

#[tokio::test]
async fn a_gzip_bomb_is_an_error_after_its_bound_and_is_not_asked_for_again() {
    const RUNS_OF_9_MIB: usize = 9 * (1 << 20) / 258;
    let (client, requests) = client_of(|_| {
        let mut bomb = answer(gzip_bomb(RUNS_OF_9_MIB));
        bomb.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().expect("a value"));
        bomb
    })
    .await;
    let error = client.get_path("/version").await.expect_err("a bomb");
    assert!(matches!(error.cause, ApiErrorCause::TooLong { .. }), "{:?}", error.cause);
    assert_eq!(requests.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_list_that_goes_round_in_circles_ends() {
    let (client, requests) = client_of(|request| {
        let next = request % 3;
        answer(format!(
            "{{\"kind\": \"SecretList\", \"items\": [],
                \"metadata\": {{\"resourceVersion\": \"1\", \"continue\": \"{next}\"}}}}"
        ))
    })
    .await;
    let error = client.list(&secrets(), None).await.expect_err("endless").cause.to_string();
    assert!(error.contains("read already"), "{error}");
    assert_eq!(requests.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn an_event_of_a_watch_that_is_about_no_object_is_an_error() {
    use futures::StreamExt as _;
    let (client, _) = client_of(|_| answer("{\"type\": \"ADDED\", \"object\": \"text\"}\n")).await;
    let watched = Watched { kind: secrets(), namespace: None, name: None, labels: None };
    let mut changes = client.watch(&watched, "1").await.expect("begun");
    let error = changes.next().await.expect("an event").expect_err("no object");
    assert!(matches!(error.cause, ApiErrorCause::Malformed(_)), "{:?}", error.cause);
}

#[tokio::test]
async fn a_watch_that_is_one_endless_line_is_an_error_after_its_bound() {
    use futures::StreamExt as _;
    let (client, _) = client_of(|_| answer(vec![b'x'; 9 << 20])).await;
    let watched = Watched { kind: secrets(), namespace: None, name: None, labels: None };
    let mut changes = client.watch(&watched, "1").await.expect("begun");
    let error = changes.next().await.expect("an end").expect_err("too long");
    assert!(matches!(error.cause, ApiErrorCause::TooLong { .. }), "{:?}", error.cause);
    assert!(changes.next().await.is_none(), "it is over");
}

#[tokio::test]
async fn slow_answers_are_reported_and_not_awaited_without_end() {
    let client = client_of_silence().await;
    let retry = RetryPolicy { patience: Duration::from_millis(250), ..RetryPolicy::default() };
    let client = client.with_retry(retry).with_timeout(Duration::from_millis(100));
    let notes = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = Arc::clone(&notes);
    client.tell(&Events::to(move |event| {
        if let Event::Note(note) = event {
            kept.lock().expect("not poisoned").push(note);
        }
    }));
    let begun = std::time::Instant::now();
    let error = client.get_path("/version").await.expect_err("silence");
    assert!(matches!(error.cause, ApiErrorCause::Timeout(_)), "{:?}", error.cause);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let notes = notes.lock().expect("not poisoned").clone();
    assert!(
        notes.len() < 4 && notes[0].contains("get /version in the source cluster"),
        "{notes:?}"
    );
}

#[tokio::test]
async fn the_wait_before_a_gate_is_no_part_of_the_patience() {
    let (client, requests) = client_of(|number| {
        let mut answer = answer(
            "{\"kind\": \"Secret\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"a\"}}",
        );
        if number == 0 {
            *answer.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        }
        answer
    })
    .await;
    let patience = Duration::from_millis(500);
    let client = client.with_retry(RetryPolicy { patience, ..RetryPolicy::default() });
    let gate = Gate::open_until(Moment::now());
    client.guard(Some(gate.clone()));
    let opening = async {
        tokio::time::sleep(patience * 2).await;
        gate.extend_to(Moment::now() + Duration::from_secs(60));
    };
    let patch = serde_json::json!({});
    let options = WriteOptions::default();
    let place = (Some("n"), "a");
    let kind = secrets();
    let patched = client.patch(&kind, place, (PatchKind::Merge, &patch), &options);
    let (patched, ()) = tokio::join!(patched, opening);
    patched.expect("the second attempt");
    assert_eq!(requests.load(Ordering::Relaxed), 2);
}

/// A client of a server that takes connections and says nothing.
async fn client_of_silence() -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    connect(&format!("http://{address}")).await
}
