//! One JSON object for each line: for machines. docs/reference/progress.md explains the fields.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use support::journal::{Event, Lane, RunEvent};
use support::{causes, visible};

use super::open::{Ended, Open};

/// Progress is shown at most so often, and when all is done.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// An event: one line of `--progress json`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ProgressEvent"))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line<'a> {
    /// `kubectl-pivot.io/v1alpha1`.
    api_version: &'static str,
    /// `ProgressEvent`.
    kind: &'static str,
    /// When, RFC 3339, UTC, in milliseconds.
    time: String,
    /// The step of `create` or `delete` that the event is about; steps can overlap; absent for
    /// other commands.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Lane,
    /// The phase within the step or the command, as in the report; absent for the step itself, and
    /// between phases.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'static str>,
    #[serde(flatten)]
    content: Content<'a>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
enum Content<'a> {
    /// An event that the journal of a run keeps too.
    Run(&'a RunEvent),
    Shown(Shown<'a>),
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Shown<'a> {
    /// A step or phase has begun.
    Started { title: &'a str },
    /// The number of objects that are done; about twice a second, and when all are.
    Progress { done: usize, total: usize },
    /// The action or the wait, with the state that was seen last; once for each change.
    Waiting { message: &'a str },
    /// It has ended well; `seconds` is fractional; `message` is absent when there is nothing to
    /// say.
    Finished {
        title: String,
        seconds: f64,
        #[serde(skip_serializing_if = "str::is_empty")]
        message: &'a str,
    },
    /// It has failed; the `error` at the end says why.
    Failed { title: String, seconds: f64 },
    /// A remark.
    Note { message: &'a str },
    /// A problem, although the command continues.
    Warning { message: &'a str },
    /// The last line of a command that fails: the error, its causes from the outer to the inner
    /// one, and the next step; `causes` and `hint` are absent when there are none.
    Error {
        message: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        causes: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'a str>,
        exit_code: u8,
    },
}

/// Turns events into lines.
#[derive(Default)]
pub(super) struct Json {
    open: Open,
    /// The last wait of each lane, so that each is printed once.
    waiting: BTreeMap<Lane, String>,
    counted: BTreeMap<Lane, Instant>,
}

impl Json {
    /// The line of an event, if it is to be shown.
    pub(super) fn line(&mut self, lane: Lane, event: &Event) -> Option<String> {
        match event {
            Event::Started { name, title } => {
                self.open.begin(lane, name, title.clone());
                self.waiting.remove(&lane);
                self.counted.remove(&lane);
                self.report(lane, Shown::Started { title })
            }
            Event::Progress { done, total } => {
                let last = self.counted.get(&lane);
                if last.is_some_and(|last| last.elapsed() < PROGRESS_INTERVAL) && done < total {
                    return None;
                }
                self.counted.insert(lane, Instant::now());
                self.report(lane, Shown::Progress { done: *done, total: *total })
            }
            Event::Doing(what) => {
                let last = self.waiting.insert(lane, what.clone());
                if last.as_ref() == Some(what) {
                    return None;
                }
                self.report(lane, Shown::Waiting { message: what })
            }
            Event::Finished { summary } => self.ended(lane, |Ended { title, took, .. }| {
                Shown::Finished { title, seconds: rounded(took), message: summary }
            }),
            Event::Failed => self.ended(lane, |Ended { title, took, .. }| Shown::Failed {
                title,
                seconds: rounded(took),
            }),
            Event::Note(message) => self.report(lane, Shown::Note { message }),
            Event::Warning(message) => self.report(lane, Shown::Warning { message }),
            Event::Record(
                event @ (RunEvent::Begun { .. }
                | RunEvent::BatchStarted { .. }
                | RunEvent::BackedUp { .. }
                | RunEvent::Ended { .. }),
            ) => self.text(lane, Content::Run(event)),
            // What has a title is shown by that.
            Event::Record(_) => None,
        }
    }

    /// The line of the error that the program ends with.
    pub(super) fn error(
        &self,
        error: &dyn Error,
        hint: Option<&str>,
        exit_code: u8,
    ) -> Option<String> {
        let (message, causes) = (error.to_string(), causes::each(error));
        self.report(None, Shown::Error { message, causes, hint, exit_code })
    }

    fn ended<'a>(&mut self, lane: Lane, what: impl FnOnce(Ended) -> Shown<'a>) -> Option<String> {
        // The line still has the name of the phase that it ends.
        let phase = self.phase(lane);
        let ended = self.open.end(lane);
        text(lane, phase, Content::Shown(what(ended)))
    }

    fn report(&self, lane: Lane, shown: Shown<'_>) -> Option<String> {
        self.text(lane, Content::Shown(shown))
    }

    fn text(&self, lane: Lane, content: Content<'_>) -> Option<String> {
        text(lane, self.phase(lane), content)
    }

    /// The name of the phase that a lane is in; that of the step stands beside it.
    fn phase(&self, lane: Lane) -> Option<&'static str> {
        let name = self.open.innermost(lane)?.name;
        (lane != Some(name) || self.open.depth(lane) > 1).then_some(name)
    }
}

fn text(step: Lane, phase: Option<&'static str>, content: Content<'_>) -> Option<String> {
    let time = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    let api_version = workflow::API_VERSION;
    let line = Line { api_version, kind: "ProgressEvent", time, step, phase, content };
    serde_json::to_string(&line).ok().map(|line| visible::json(&line))
}

/// To a millisecond.
fn rounded(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn shown(json: &mut Json, lane: Lane, event: &Event) -> Option<Value> {
        let line = json.line(lane, event)?;
        assert!(!line.contains('\n'), "{line}");
        let mut value: Value = serde_json::from_str(&line).expect("JSON");
        let fields = value.as_object_mut().expect("an object");
        assert_eq!(fields.remove("kind").expect("a kind"), "ProgressEvent");
        assert_eq!(fields.remove("apiVersion").expect("a version"), workflow::API_VERSION);
        let time = fields.remove("time").expect("a time");
        let time: Timestamp = time.as_str().expect("text").parse().expect("RFC 3339");
        assert!(time.duration_until(Timestamp::now()).as_secs() < 60);
        if let Some(seconds) = fields.get_mut("seconds") {
            assert!(seconds.as_f64().is_some_and(|seconds| seconds < 60.0));
            *seconds = json!(0);
        }
        Some(value)
    }

    fn started(name: &'static str) -> Event {
        Event::Started { name, title: name.to_uppercase() }
    }

    #[test]
    fn a_line_says_which_step_and_phase_it_is_about() {
        let mut json = Json::default();
        let mut tell = |lane, event| shown(&mut json, lane, &event);
        let begun = tell(Some("move"), started("move"));
        assert_eq!(begun, Some(json!({"event": "started", "step": "move", "title": "MOVE"})));
        let inner = tell(Some("move"), started("move"));
        assert_eq!(inner.expect("reported")["phase"], "move");
        tell(Some("move"), Event::Finished { summary: String::new() });
        let inner = tell(Some("move"), started("copy"));
        let expected =
            json!({"event": "started", "step": "move", "phase": "copy", "title": "COPY"});
        assert_eq!(inner, Some(expected));
        let ended = tell(Some("move"), Event::Finished { summary: String::new() });
        let expected = json!({"event": "finished", "step": "move", "phase": "copy",
            "title": "COPY", "seconds": 0});
        assert_eq!(ended, Some(expected));
        let beside = tell(Some("nodes"), Event::Note("one\ntwo".to_owned()));
        assert_eq!(beside, Some(json!({"event": "note", "step": "nodes", "message": "one\ntwo"})));
        let ended = tell(Some("move"), Event::Failed);
        let expected = json!({"event": "failed", "step": "move", "title": "MOVE", "seconds": 0});
        assert_eq!(ended, Some(expected));
        let alone = tell(None, started("copy"));
        assert_eq!(alone, Some(json!({"event": "started", "phase": "copy", "title": "COPY"})));
    }

    #[test]
    fn ten_thousand_objects_are_few_lines() {
        let mut json = Json::default();
        let begun = Instant::now();
        let total = 10_000;
        let lines: Vec<Value> = (1..=total)
            .filter_map(|done| shown(&mut json, None, &Event::Progress { done, total }))
            .collect();
        let allowed = 2 + begun.elapsed().as_millis() / PROGRESS_INTERVAL.as_millis();
        assert!(lines.len() as u128 <= allowed, "{} lines", lines.len());
        assert_eq!(lines.first().expect("the first")["done"], 1);
        assert_eq!(lines.last().expect("the last")["done"], total);
        let waits = ["a", "a", "b", "a"]
            .map(|text| shown(&mut json, None, &Event::Doing(text.to_owned())).is_some());
        assert_eq!(waits, [true, false, true, true]);
    }

    #[test]
    fn the_journal_and_the_end_are_shown() {
        let mut json = Json::default();
        let ended = RunEvent::Ended { outcome: "moved".to_owned(), error: None };
        let reported = shown(&mut json, None, &Event::Record(ended));
        assert_eq!(reported, Some(json!({"event": "ended", "outcome": "moved"})));
        let phase = RunEvent::PhaseStarted { phase: "copy".to_owned() };
        assert_eq!(shown(&mut json, None, &Event::Record(phase)), None);
        let line = json.error(&std::io::Error::other("no\nway"), Some("try"), 6).expect("a line");
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["event"], "error");
        assert_eq!((&value["message"], &value["hint"]), (&json!("no\nway"), &json!("try")));
        assert_eq!((&value["exitCode"], value.get("causes")), (&json!(6), None));
    }
}
