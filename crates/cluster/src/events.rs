//! The events of a watch, one line each, out of a body that may be endless or one line without an
//! end.

use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kube::client::Body;
use kube::core::WatchEvent;
use serde_json::Value;

use super::error::{ApiErrorCause, classify};

/// The most bytes of one event: an object, and etcd takes none of more than 1.5 MiB.
const LONGEST_EVENT: usize = 8 << 20;

/// The most bytes of a watch, which lasts a minute.
const LONGEST_WATCH: usize = 256 << 20;

/// An event as it was read.
type Event = Result<WatchEvent<Value>, ApiErrorCause>;

/// Reads the events of a watch until it ends or breaks. An event that cannot be read is the last
/// one.
pub(super) fn events(body: Body) -> BoxStream<'static, Event> {
    let frames = Limited::new(body, LONGEST_WATCH).into_data_stream();
    let frames = frames.map(|frame| match frame {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(ApiErrorCause::TooLong { limit: LONGEST_WATCH })
        }
        Err(error) => Err(match error.downcast_ref::<kube::Error>() {
            Some(error) => classify(error),
            None => ApiErrorCause::Broken(error.to_string()),
        }),
    });
    of_frames(frames.boxed(), LONGEST_EVENT).boxed()
}

/// The rest of a watch.
struct Rest<S> {
    frames: S,
    /// Bytes of the next lines so far.
    read: Vec<u8>,
    /// Number of those that have no line break.
    searched: usize,
    is_over: bool,
}

fn of_frames(
    frames: impl Stream<Item = Result<Vec<u8>, ApiErrorCause>> + Unpin + Send + 'static,
    longest: usize,
) -> impl Stream<Item = Event> + Send {
    let rest = Rest { frames, read: Vec::new(), searched: 0, is_over: false };
    futures::stream::unfold(rest, move |mut rest| async move {
        let event = next(&mut rest, longest).await?;
        rest.is_over = event.is_err();
        Some((event, rest))
    })
}

async fn next(
    rest: &mut Rest<impl Stream<Item = Result<Vec<u8>, ApiErrorCause>> + Unpin>,
    longest: usize,
) -> Option<Event> {
    while !rest.is_over {
        if let Some(line) = take_line(rest) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let event = serde_json::from_slice(&line);
            return Some(event.map_err(|error| ApiErrorCause::Malformed(error.to_string())));
        }
        if rest.read.len() > longest {
            return Some(Err(ApiErrorCause::TooLong { limit: longest }));
        }
        match rest.frames.next().await? {
            Ok(bytes) => rest.read.extend(bytes),
            Err(cause) => return Some(Err(cause)),
        }
    }
    None
}

/// Takes the first whole line out of what has come.
fn take_line<S>(rest: &mut Rest<S>) -> Option<Vec<u8>> {
    let unsearched = rest.read.get(rest.searched..).unwrap_or_default();
    let Some(at) = unsearched.iter().position(|byte| *byte == b'\n') else {
        rest.searched = rest.read.len();
        return None;
    };
    let tail = rest.read.split_off(rest.searched + at + 1);
    rest.searched = 0;
    Some(std::mem::replace(&mut rest.read, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(frames: &[&str], longest: usize) -> Vec<Event> {
        let frames: Vec<_> = frames.iter().map(|frame| Ok(frame.as_bytes().to_vec())).collect();
        of_frames(futures::stream::iter(frames), longest).collect().await
    }

    #[tokio::test]
    async fn events_are_lines_whatever_the_frames_are() {
        let event = r#"{"type": "ADDED", "object": {"metadata": {"name": "a"}}}"#;
        let (head, tail) = event.split_at(20);
        let last = format!("{tail}\n\n{event}\n{event}");
        let events = read(&[head, &last], 1000).await;
        assert_eq!(events.len(), 2, "the last line has no end: {events:?}");
        assert!(events.iter().all(|event| matches!(event, Ok(WatchEvent::Added(_)))));
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_an_error_after_its_bound() {
        let events = read(&["x".repeat(60).as_str(); 10], 100).await;
        assert!(matches!(events[..], [Err(ApiErrorCause::TooLong { limit: 100 })]), "{events:?}");
    }

    #[tokio::test]
    async fn nothing_is_read_behind_a_line_that_is_no_event() {
        let events = read(&["<html>\n", "{\"type\": \"BOOKMARK\"}\n"], 100).await;
        assert!(matches!(events[..], [Err(ApiErrorCause::Malformed(_))]), "{events:?}");
    }
}
