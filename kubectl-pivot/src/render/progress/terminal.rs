//! A terminal: a spinner or bar for everything at work, a tick line when it has ended.

use std::collections::BTreeMap;
use std::time::Duration;

use console::{Term, measure_text_width, truncate_str};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use owo_colors::OwoColorize;
use support::journal::{Event, Lane};

use super::open::{Ended, Open};
use super::{detail, line, seconds};
use crate::render::Screen;

/// Columns before a line that belongs to the line above it.
const INDENT: usize = 4;

/// Limits the columns of a bar.
const SHORTEST_BAR: usize = 6;
const LONGEST_BAR: usize = 28;

/// The bars of open steps, below what has ended.
pub(super) struct Terminal {
    open: Open,
    all: MultiProgress,
    bars: BTreeMap<Lane, ProgressBar>,
}

impl Terminal {
    pub(super) fn on_stderr() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { open: Open::default(), all, bars: BTreeMap::new() }
    }

    pub(super) fn show(&mut self, lane: Lane, event: Event) {
        match event {
            Event::Started { name, title } => {
                self.remove(lane);
                self.add(lane, &title, Duration::ZERO);
                self.open.begin(lane, name, title);
            }
            Event::Doing(what) => self.with_bar(lane, |bar| {
                if bar.length().is_none() {
                    bar.set_style(style("{spinner:.cyan} {prefix} {elapsed:.dim}\n    {msg:.dim}"));
                }
                bar.set_message(shortened(&what, columns().saturating_sub(INDENT + 1)));
            }),
            Event::Progress { done, total } => self.with_bar(lane, |bar| {
                if bar.length() != Some(total as u64) {
                    bar.set_length(total as u64);
                    let width = bar_width(columns(), &bar.prefix(), total);
                    bar.set_style(style(&format!(
                        "{{spinner:.cyan}} {{prefix}}  {{bar:{width}.cyan/dim}} {{pos}}/{{len}} \
                         {{elapsed:.dim}}",
                    )));
                }
                bar.set_position(done as u64);
            }),
            Event::Finished { summary } => {
                let ended = self.end(lane);
                let (title, took) = (&ended.title, seconds(ended.took));
                let detail = detail(&summary);
                let width = measure_text_width(&format!("✔ {title}{took}{detail}"));
                let detail =
                    if width <= columns() { detail } else { format!("\n{:INDENT$}{summary}", "") };
                self.above(&format!("{} {title}{}{detail}", "✔".green(), took.dimmed()));
            }
            Event::Failed => {
                let ended = self.end(lane);
                let took = seconds(ended.took);
                self.above(&format!("{} {}{}", "✘".red(), ended.title, took.dimmed()));
            }
            Event::Record(_) => {}
            Event::Note(text) => self.aside(lane, &text),
            Event::Warning(text) => self.aside(lane, &format!("{} {text}", "warning:".yellow())),
        }
    }

    /// Takes away what is not finished, so that other output starts on a line of its own.
    pub(super) fn clear(&mut self) {
        let lanes: Vec<Lane> = self.bars.keys().copied().collect();
        for lane in lanes {
            self.remove(lane);
        }
    }

    fn add(&mut self, lane: Lane, title: &str, elapsed: Duration) {
        let bar = ProgressBar::new_spinner().with_prefix(title.to_owned()).with_elapsed(elapsed);
        let bar = self.all.add(bar);
        bar.set_style(style("{spinner:.cyan} {prefix} {elapsed:.dim}"));
        bar.enable_steady_tick(Duration::from_millis(100));
        self.bars.insert(lane, bar);
    }

    fn remove(&mut self, lane: Lane) {
        if let Some(bar) = self.bars.remove(&lane) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }

    fn end(&mut self, lane: Lane) -> Ended {
        self.remove(lane);
        let ended = self.open.end(lane);
        // The step that it is a part of continues: the one that a phase belongs to.
        let outer = self.open.innermost(lane);
        if let Some((title, elapsed)) = outer.map(|it| (it.title.clone(), it.since.elapsed())) {
            self.add(lane, &title, elapsed);
        }
        ended
    }

    fn with_bar(&self, lane: Lane, change: impl FnOnce(&ProgressBar)) {
        if let Some(bar) = self.bars.get(&lane) {
            change(bar);
        }
    }

    fn aside(&self, lane: Lane, text: &str) {
        match self.open.title_beside_others(lane) {
            Some(title) => self.above(&format!("  {title}: {text}")),
            None => self.above(&format!("  {text}")),
        }
    }

    /// A line that stays, above the bars.
    fn above(&self, text: &str) {
        self.all.suspend(|| line(text));
    }
}

/// Columns of a bar that leave room for the title, the count and the time, so that no line wraps.
fn bar_width(columns: usize, title: &str, total: usize) -> usize {
    let count = 2 * total.to_string().len() + 1;
    // A spinner, five spaces, and a time such as 10m.
    let rest = measure_text_width(title) + count + 1 + 5 + 4;
    columns.saturating_sub(rest).clamp(SHORTEST_BAR, LONGEST_BAR)
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
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    match Screen::of_stderr().is_utf8 {
        true => style,
        false => style.progress_chars("#>-").tick_chars("-\\|/+"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_bar_fits_a_narrow_terminal() {
        let title = "Create objects in the target";
        assert_eq!(bar_width(120, title, 2320), 28);
        assert_eq!(bar_width(80, title, 232), 28);
        let line =
            |columns| 1 + 1 + title.len() + 2 + bar_width(columns, title, 232) + 1 + 7 + 1 + 4;
        assert!(line(60) <= 60, "{}", line(60));
        assert_eq!(bar_width(20, title, 232), 6);
    }

    #[test]
    fn a_text_that_does_not_fit_ends_in_an_ellipsis() {
        assert_eq!(shortened(" • Preparing nodes 📦   ...", 40), "• Preparing nodes 📦 ...");
        assert_eq!(shortened("Waiting for cert-manager to be available", 16), "Waiting for cer…");
        assert_eq!(shortened("one\ntwo", 40), "one two");
        assert_eq!(measure_text_width(&shortened("Starting 🕹️ all", 10)), 10);
    }
}
