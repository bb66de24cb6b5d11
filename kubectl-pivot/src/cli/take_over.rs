//! Flags that `resume` and `rollback` share, and their question.

use support::visible::one_line;
use transfer::{Gone, Interruption, TakeOver};

use super::Context;
use super::prompt;
use crate::render::scope;

/// Degrees of certainty that a cluster is gone.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum GoneArg {
    Checked,
    Sure,
}

impl From<GoneArg> for Gone {
    fn from(arg: GoneArg) -> Self {
        match arg {
            GoneArg::Checked => Self::Checked,
            GoneArg::Sure => Self::Sure,
        }
    }
}

/// Asks on a terminal before an interrupted run is taken over.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct TakeOverArgs {
    /// Do not ask before an interrupted run is taken over. Nothing is asked either when standard
    /// input is no terminal.
    #[arg(long, short)]
    yes: bool,
}

impl TakeOverArgs {
    /// Returns the decision of a command that takes an interrupted run over: with `--yes` it always
    /// is yes, otherwise the user is asked. The question begins with `what`, a verb such as
    /// `Resume`.
    pub(super) fn asking(self, what: &'static str, context: &Context) -> TakeOver {
        if self.yes {
            return TakeOver::default();
        }
        let progress = context.progress.clone();
        TakeOver::asking(move |interruption| {
            progress.clear();
            prompt::agrees(&question(what, interruption))
        })
    }
}

/// The question, with all that somebody can have made up.
fn question(what: &str, Interruption { record, server, holder }: &Interruption) -> String {
    let chosen: Option<Vec<String>> = record.choice.as_ref().map(|choice| choice.names().collect());
    let scope = scope(record.namespace.as_deref(), &record.namespaces, chosen.as_deref());
    let holder = match holder {
        Some(holder) => {
            format!("last held by {}, renewed {} s ago", holder.identity, holder.renewed.as_secs())
        }
        None => "held by nobody".to_owned(),
    };
    format!(
        "{what} the {} {} of {scope}, started {}? It is {}; {} is its {}, the other end is {}; \
         {holder}",
        record.operation,
        record.run,
        one_line(&record.started),
        record.phase,
        one_line(server),
        record.role,
        one_line(&record.peer),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use transfer::{Namespaces, Record, Role};

    #[test]
    fn the_question_shows_what_a_record_says_as_text() {
        let record = Record::new(
            "r1",
            Role::Target,
            &Namespaces::One("ns".to_owned()),
            "https://a\u{1b}[2J",
        );
        let shown = question(
            "Resume",
            &Interruption { record, server: "https://b:6443".to_owned(), holder: None },
        );
        for text in [
            "Resume the move r1 of namespace ns",
            r"https://a\u{1b}[2J",
            "held by nobody",
            "https://b:6443 is its target",
        ] {
            assert!(shown.contains(text), "{shown}");
        }
    }
}
