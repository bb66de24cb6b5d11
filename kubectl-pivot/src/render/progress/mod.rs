//! Live progress on standard error, in three views: bars on a terminal, plain lines for logs, JSON
//! lines for machines.

mod json;
mod lines;
mod open;
mod terminal;

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use json::Json;
#[cfg(feature = "schema")]
pub(crate) use json::Line as ProgressLine;
use lines::Lines;
use support::journal::{Event, Events, RunEvent};
use support::visible;
use terminal::Terminal;

use super::Screen;
use crate::called;

/// Views of progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProgressView {
    /// Bars if standard error is a terminal, plain lines otherwise.
    #[default]
    Auto,
    /// Plain lines.
    Plain,
    /// One JSON object for each line, the final error included.
    Json,
    /// Nothing.
    Quiet,
}

/// Shows the events of a run.
#[derive(Clone)]
pub struct Progress {
    view: Arc<Mutex<View>>,
    is_past_commit: Arc<AtomicBool>,
    has_run: Arc<AtomicBool>,
}

enum View {
    Quiet,
    Lines(Lines),
    Json(Json),
    Terminal(Terminal),
}

impl Progress {
    /// Shows events on standard error.
    pub fn on_stderr(view: ProgressView) -> Self {
        let view = match view {
            ProgressView::Quiet => View::Quiet,
            ProgressView::Json => View::Json(Json::default()),
            ProgressView::Auto if is_terminal() => View::Terminal(Terminal::on_stderr()),
            ProgressView::Auto | ProgressView::Plain => View::Lines(Lines::default()),
        };
        Self {
            view: Arc::new(Mutex::new(view)),
            is_past_commit: Arc::default(),
            has_run: Arc::default(),
        }
    }

    /// Returns the sink of events that this display shows.
    pub fn events(&self) -> Events {
        let progress = self.clone();
        Events::by_lane(move |lane, event| {
            progress.note(&event);
            match &mut *progress.view() {
                View::Quiet => {}
                View::Lines(lines) => {
                    lines.line(lane, shown(event)).iter().for_each(|text| line(text));
                }
                View::Json(json) => json.line(lane, &event).iter().for_each(|text| line(text)),
                View::Terminal(terminal) => terminal.show(lane, shown(event)),
            }
        })
    }

    /// Returns true while a move deletes or resumes, and is not rolled back any more.
    pub fn is_past_commit(&self) -> bool {
        self.is_past_commit.load(Ordering::SeqCst)
    }

    /// Returns true if a run has taken its lock, so that an end leaves it to another command.
    pub fn has_run(&self) -> bool {
        self.has_run.load(Ordering::SeqCst)
    }

    fn note(&self, event: &Event) {
        if matches!(event, Event::Record(RunEvent::Begun { .. })) {
            self.has_run.store(true, Ordering::SeqCst);
        }
        if let Event::Started { name, .. } = event {
            // A backup resumes what it has paused too, without having deleted anything.
            let is_past = match *name {
                "delete" => true,
                "resume" => self.is_past_commit(),
                _ => false,
            };
            self.is_past_commit.store(is_past, Ordering::SeqCst);
        }
    }

    /// Clears an unfinished bar, so that other output starts on a line of its own.
    pub fn clear(&self) {
        if let View::Terminal(terminal) = &mut *self.view() {
            terminal.clear();
        }
    }

    /// Shows the error that the program ends with.
    pub fn failure(&self, error: &dyn Error, hint: Option<&str>, exit_code: u8) {
        self.clear();
        match &*self.view() {
            View::Json(json) => {
                json.error(error, hint, exit_code).iter().for_each(|text| line(text))
            }
            View::Quiet | View::Lines(_) | View::Terminal(_) => {
                super::print_error(&super::failure(error, hint, &Screen::of_stderr()));
            }
        }
    }

    /// Shows what to do next, although nothing has failed; not even `--quiet` leaves it out.
    pub fn hint(&self, text: &str) {
        let text = format!("hint: {}", called::in_text(text));
        match &mut *self.view() {
            View::Json(json) => {
                json.line(None, &Event::Note(text)).iter().for_each(|text| line(text))
            }
            View::Quiet | View::Lines(_) | View::Terminal(_) => super::print_error(&text),
        }
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The event with texts that are safe to show to people.
fn shown(event: Event) -> Event {
    let safe = |text: String| called::in_text(&visible::indented(&text, 6));
    match event {
        Event::Started { name, title } => Event::Started { name, title: safe(title) },
        Event::Doing(text) => Event::Doing(safe(text)),
        Event::Finished { summary } => Event::Finished { summary: safe(summary) },
        Event::Note(text) => Event::Note(safe(text)),
        Event::Warning(text) => Event::Warning(safe(text)),
        event @ (Event::Progress { .. } | Event::Failed | Event::Record(_)) => event,
    }
}

/// Returns true if standard error can show bars.
fn is_terminal() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn line(text: &str) {
    let text = Screen::of_stderr().fit(text);
    let _ = writeln!(anstream::stderr().lock(), "{}", visible::output(&text));
}

fn seconds(took: Duration) -> String {
    format!(" ({:.1} s)", took.as_secs_f64())
}

fn detail(summary: &str) -> String {
    if summary.is_empty() { String::new() } else { format!(": {summary}") }
}
