//! Live progress on standard error: bars on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use console::{Term, measure_text_width, truncate_str};
use indicatif::{ProgressBar, ProgressStyle};
use owo_colors::OwoColorize;

use crate::journal::{Event, Events};

/// Columns before a line that belongs to the line above it.
const INDENT: usize = 4;

/// Shows the events of a run.
#[derive(Clone)]
pub struct Progress(Arc<Mutex<View>>);

enum View {
    Quiet,
    Lines(Lines),
    Terminal(Terminal),
}

impl Progress {
    /// Bars if standard error is a terminal, plain lines otherwise; nothing when `quiet`.
    pub fn on_stderr(quiet: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let view = match (quiet, is_terminal) {
            (true, _) => View::Quiet,
            (false, true) => View::Terminal(Terminal::default()),
            (false, false) => View::Lines(Lines::default()),
        };
        Self(Arc::new(Mutex::new(view)))
    }

    /// Where to send events so that they are shown.
    pub fn events(&self) -> Events {
        let view = Arc::clone(&self.0);
        Events::to(move |event| match &mut *view.lock().unwrap_or_else(PoisonError::into_inner) {
            View::Quiet => {}
            View::Lines(lines) => lines.show(event),
            View::Terminal(terminal) => terminal.show(event),
        })
    }

    /// Clears an unfinished bar, so that other output starts on a line of its own.
    pub fn clear(&self) {
        if let View::Terminal(terminal) =
            &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)
        {
            terminal.clear();
        }
    }
}

/// One line for each phase and each note; the latest wait at most every ten seconds.
#[derive(Default)]
struct Lines {
    open: Open,
    last_doing: Option<Instant>,
}

/// What has begun and not ended, the outermost first: a step of `create` may consist of phases.
#[derive(Default)]
struct Open(Vec<Phase>);

struct Phase {
    title: String,
    begun: Instant,
    /// Whether other phases began within it, so that its title has scrolled away.
    has_parts: bool,
}

impl Phase {
    fn new(title: String) -> Self {
        Self { title, begun: Instant::now(), has_parts: false }
    }

    /// How its end is told below its title.
    fn done(&self) -> String {
        if self.has_parts { format!("{}: done", self.title) } else { "done".to_owned() }
    }
}

impl Open {
    fn begin(&mut self, title: String) {
        if let Some(outer) = self.0.last_mut() {
            outer.has_parts = true;
        }
        self.0.push(Phase::new(title));
    }

    /// What ends is what has begun last.
    fn end(&mut self) -> Phase {
        self.0.pop().unwrap_or_else(|| Phase::new(String::new()))
    }
}

impl Lines {
    fn show(&mut self, event: Event) {
        match event {
            Event::Started { title } => {
                line(&format!("==> {title}"));
                self.open.begin(title);
                self.last_doing = None;
            }
            Event::Doing(what) => {
                let due =
                    self.last_doing.is_none_or(|last| last.elapsed() > Duration::from_secs(10));
                if due {
                    self.last_doing = Some(Instant::now());
                    line(&format!("    {what}"));
                }
            }
            Event::Progress { .. } | Event::Record(_) => {}
            Event::Finished { summary } => {
                let phase = self.open.end();
                line(&format!("    {}{}{}", phase.done(), took(&phase), detail(&summary)));
            }
            Event::Failed => {
                let phase = self.open.end();
                line(&format!("    failed{}: {}", took(&phase), phase.title));
            }
            Event::Note(text) => line(&format!("    {text}")),
            Event::Warning(text) => line(&format!("    warning: {text}")),
        }
    }
}

/// A spinner or bar for the current phase; a tick line when it has ended.
#[derive(Default)]
struct Terminal {
    open: Open,
    bar: Option<ProgressBar>,
}

impl Terminal {
    fn show(&mut self, event: Event) {
        match event {
            Event::Started { title } => self.start(title),
            Event::Doing(what) => self.with_bar(|bar| {
                if bar.length().is_none() {
                    bar.set_style(style("{spinner:.cyan} {prefix} {elapsed:.dim}\n    {msg:.dim}"));
                }
                bar.set_message(shortened(&what, columns().saturating_sub(INDENT + 1)));
            }),
            Event::Progress { done, total } => self.with_bar(|bar| {
                if bar.length() != Some(total as u64) {
                    bar.set_length(total as u64);
                    bar.set_style(style(
                        "{spinner:.cyan} {prefix}  {bar:28.cyan/dim} {pos}/{len} {elapsed:.dim}",
                    ));
                }
                bar.set_position(done as u64);
            }),
            Event::Finished { summary } => {
                let phase = self.end();
                let (title, took) = (&phase.title, took(&phase));
                let detail = detail(&summary);
                let width = measure_text_width(&format!("✔ {title}{took}{detail}"));
                line(&format!("{} {title}{}{}", "✔".green(), took.dimmed(), {
                    if width <= columns() { detail } else { format!("\n{:INDENT$}{summary}", "") }
                }));
            }
            Event::Failed => {
                let phase = self.end();
                line(&format!("{} {}{}", "✘".red(), phase.title, took(&phase).dimmed()));
            }
            Event::Record(_) => {}
            Event::Note(text) => self.aside(&text),
            Event::Warning(text) => self.aside(&format!("{} {text}", "warning:".yellow())),
        }
    }

    fn start(&mut self, title: String) {
        self.clear();
        let bar = ProgressBar::new_spinner().with_prefix(title.clone());
        bar.set_style(style("{spinner:.cyan} {prefix} {elapsed:.dim}"));
        bar.enable_steady_tick(Duration::from_millis(100));
        self.open.begin(title);
        self.bar = Some(bar);
    }

    fn end(&mut self) -> Phase {
        self.clear();
        self.open.end()
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn with_bar(&self, change: impl FnOnce(&ProgressBar)) {
        if let Some(bar) = &self.bar {
            change(bar);
        }
    }

    fn aside(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| line(&format!("  {text}"))),
            None => line(&format!("  {text}")),
        }
    }
}

/// Width of the terminal.
fn columns() -> usize {
    Term::stderr().size().1.into()
}

/// In one line of at most so many columns; an ellipsis stands for the rest.
fn shortened(text: &str, columns: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    truncate_str(&words.join(" "), columns, "…").into_owned()
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn line(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

fn took(phase: &Phase) -> String {
    format!(" ({:.1} s)", phase.begun.elapsed().as_secs_f64())
}

fn detail(summary: &str) -> String {
    if summary.is_empty() { String::new() } else { format!(": {summary}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_several_phases_ends_under_its_own_title() {
        let mut open = Open::default();
        open.begin("Move the cluster".to_owned());
        for phase in ["Pause the source", "Resume reconciliation"] {
            open.begin(phase.to_owned());
            let ended = open.end();
            assert_eq!((ended.title.as_str(), ended.done().as_str()), (phase, "done"));
        }
        assert_eq!(open.end().done(), "Move the cluster: done");
        assert_eq!(open.end().title, "");
    }

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        assert_eq!(shortened(" • Preparing nodes 📦   ...", 40), "• Preparing nodes 📦 ...");
        assert_eq!(shortened("Waiting for cert-manager to be available", 16), "Waiting for cer…");
        assert_eq!(shortened("one\ntwo", 40), "one two");
        assert_eq!(measure_text_width(&shortened("Starting 🕹️ all", 10)), 10);
    }
}
