//! Answers that no API server gives: what a broken gateway, a log-in page or an attacker sends in
//! its place.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::http::Answer;

/// Target of redirections.
pub(super) const ELSEWHERE: &str = "/elsewhere";

/// One way of not being an API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hostility {
    /// `{}`, with 200.
    Nothing,
    /// A list without its items, and anything else as it is.
    EmptyList,
    /// A list that always has one more page.
    OneMorePage,
    /// A page in HTML, with 200.
    Html,
    /// Protobuf, which was not asked for.
    Protobuf,
    /// A redirection.
    Redirect,
    /// The beginning of a list, and then objects without an end.
    Endless,
    /// One JSON array of nothing but small numbers, which takes much more memory than it is long.
    Numbers,
    /// Few bytes that decompress to any number.
    GzipBomb,
    /// One byte, and after a while the next.
    Slow,
}

impl Hostility {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Nothing,
        Self::EmptyList,
        Self::OneMorePage,
        Self::Html,
        Self::Protobuf,
        Self::Redirect,
        Self::Endless,
        Self::Numbers,
        Self::GzipBomb,
        Self::Slow,
    ];

    /// Returns whether it changes true answers.
    pub(super) fn is_about_lists(self) -> bool {
        matches!(self, Self::EmptyList | Self::OneMorePage)
    }

    /// Answers, and closes the connection.
    pub(super) async fn answer(
        self,
        stream: &mut TcpStream,
        honest: Option<Answer>,
    ) -> io::Result<()> {
        let json = "content-type: application/json\r\n";
        match self {
            Self::Nothing => whole(stream, "200 OK", json, b"{}").await,
            Self::EmptyList | Self::OneMorePage => {
                let body = honest.map(|answer| self.change(&answer.body)).unwrap_or_default();
                whole(stream, "200 OK", json, &body).await
            }
            Self::Html => {
                let page = b"<!DOCTYPE html>\n<html><title>Log in</title></html>\n";
                whole(stream, "200 OK", "content-type: text/html\r\n", page).await
            }
            Self::Protobuf => {
                let kind = "content-type: application/vnd.kubernetes.protobuf\r\n";
                whole(stream, "200 OK", kind, b"k8s\0\n\x0c\n\x02v1\x12\x06Secret").await
            }
            Self::Redirect => {
                let to = format!("location: {ELSEWHERE}\r\n");
                whole(stream, "302 Found", &to, b"").await
            }
            Self::Endless => {
                let first =
                    br#"{"kind": "SecretList", "metadata": {"resourceVersion": "1"}, "items": ["#;
                let item = br#"{"metadata": {"name": "a", "namespace": "b"}},"#;
                endless(stream, json, first, &item.repeat(1000)).await
            }
            Self::Numbers => {
                let first = br#"{"kind": "SecretList", "metadata": {"resourceVersion": "1"}, "items": [], "x": ["#;
                let mut body = first.to_vec();
                body.extend(b"0,".repeat(100 << 20));
                body.extend(b"0]}");
                whole(stream, "200 OK", json, &body).await
            }
            Self::GzipBomb => {
                let (first, again) = gzip_bomb();
                let headers = format!("{json}content-encoding: gzip\r\n");
                endless(stream, &headers, &first, &again.repeat(1000)).await
            }
            Self::Slow => {
                head(stream, "200 OK", json, "content-length: 1000000\r\n").await?;
                loop {
                    stream.write_all(b" ").await?;
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
            }
        }
    }

    fn change(self, body: &[u8]) -> Vec<u8> {
        let mut answer: Value = serde_json::from_slice(body).unwrap_or_default();
        if answer["items"].is_array() {
            answer["items"] = json!([]);
            if self == Self::OneMorePage {
                answer["metadata"]["continue"] = rand::random::<u64>().to_string().into();
            }
        }
        answer.to_string().into_bytes()
    }
}

async fn head(stream: &mut TcpStream, status: &str, headers: &str, length: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}{length}connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await
}

async fn whole(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) -> io::Result<()> {
    head(stream, status, headers, &format!("content-length: {}\r\n", body.len())).await?;
    stream.write_all(body).await?;
    stream.flush().await
}

/// Sends until the client has enough.
async fn endless(
    stream: &mut TcpStream,
    headers: &str,
    first: &[u8],
    again: &[u8],
) -> io::Result<()> {
    head(stream, "200 OK", headers, "transfer-encoding: chunked\r\n").await?;
    chunk(stream, first).await?;
    loop {
        chunk(stream, again).await?;
    }
}

async fn chunk(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
    stream.write_all(bytes).await?;
    stream.write_all(b"\r\n").await
}

/// The beginning of gzip of runs of one letter, and the bytes of eight further runs of 258: one
/// block of DEFLATE with fixed codes, each run a reference of 13 bits (RFC 1951, 3.2.6).
fn gzip_bomb() -> (Vec<u8>, Vec<u8>) {
    const RUN: [bool; 13] = [
        true, true, false, false, false, true, false, true, // length 258
        false, false, false, false, false, // distance 1
    ];
    let mut bits = vec![true, true, false];
    bits.extend((0..8).rev().map(|bit| (0x30 + u32::from(b'x')) >> bit & 1 == 1));
    (0..16).for_each(|_| bits.extend(RUN));
    let bytes: Vec<u8> = bits
        .chunks_exact(8)
        .map(|bits| bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit) << at))
        .collect();
    let mut first = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    first.extend(&bytes[..2]);
    (first, bytes[2..15].to_vec())
}
