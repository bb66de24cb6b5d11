//! The overview of all commands, in groups.

use std::fmt::Write;

use clap::Command;

/// A line of the overview: commands and what they do. One without a text shows that of its command.
type Line = (&'static [&'static str], &'static str);

/// Groups of commands, as the overview shows them: all on a terminal of 24 lines.
const GROUPS: [(&str, &[Line]); 5] = [
    (
        "Move",
        &[
            (&["plan"], ""),
            (&["move"], "Move Cluster API objects to another cluster"),
            (&["resume", "rollback"], "Finish a run that was interrupted, or undo it"),
            (&["replace"], "Replace a management cluster; the old one is kept"),
            (&["status", "verify"], "Show runs; check that a move is complete"),
            (&["explain", "rbac"], "Explain a finding; print the roles for a move"),
        ],
    ),
    ("Backup", &[(&["backup", "restore"], "Write a backup; create its objects in a cluster")]),
    (
        "Create",
        &[
            (&["create", "delete"], "Create or delete a cluster that manages itself"),
            (&["abort", "diagnose"], "Remove what a failed create made; say why it failed"),
            (&["render"], "Print the manifests that a plugin renders"),
        ],
    ),
    ("Try out", &[(&["demo", "sandbox"], "Show a move on this machine; start control planes")]),
    ("Setup", &[(&["doctor"], ""), (&["plugin"], ""), (&["completion", "version", "help"], "")]),
];

/// Examples of the overview.
pub(super) const EXAMPLES: &str = "Examples:
  kubectl pivot demo
  kubectl pivot move --to-kubeconfig target.kubeconfig --dry-run

\"kubectl pivot COMMAND --help\" has flags and examples of a command.";

/// Returns the command with its overview in groups, which clap has no means for. The title of a
/// group stands beside its first commands, so that all fits a small terminal.
pub(super) fn command(command: Command) -> Command {
    // The flags are those of each command, so their help explains them.
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{{after-help}}",
        groups(&command).trim_end()
    );
    command.help_template(template)
}

/// Returns the help of a command and of all commands below it as a page of Markdown.
pub(super) fn reference(command: Command) -> String {
    let mut root = command.term_width(100);
    root.build();
    let mut page = String::from(
        "# Commands\n\nThe help of each command, as `--help` prints it. A test holds this page to \
         the program.\n",
    );
    add_section(&mut root, "kubectl pivot", &mut page);
    page
}

fn add_section(command: &mut Command, words: &str, page: &mut String) {
    let help = command.render_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(page, "\n## {words}\n\n```text\n{}\n```\n", help.join("\n").trim_end());
    for inner in command.get_subcommands_mut() {
        if inner.get_name() != "help" && !inner.is_hide_set() {
            let words = format!("{words} {}", inner.get_name());
            add_section(inner, &words, page);
        }
    }
}

fn groups(command: &Command) -> String {
    let mut text = String::new();
    for (title, lines) in GROUPS {
        for (index, (names, about)) in lines.iter().enumerate() {
            let title = if index == 0 { title } else { "" };
            let of_command = match names {
                [name] if about.is_empty() => command.find_subcommand(name),
                _ => None,
            };
            let about = of_command
                .and_then(Command::get_about)
                .map_or_else(|| (*about).to_owned(), ToString::to_string);
            let line = format!("{title:<8} {:<17} {about}", names.join(", "));
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn the_overview_fits_80_columns_and_24_lines() {
        let help = command(Cli::command()).term_width(80).render_help().to_string();
        let help = help.trim_end();
        assert!(help.lines().count() <= 24, "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    }

    #[test]
    fn the_groups_name_every_command_once() {
        let lines = GROUPS.iter().flat_map(|(_, lines)| *lines);
        let mut listed: Vec<&str> = lines.flat_map(|(names, _)| *names).copied().collect();
        let command = Cli::command();
        let mut known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        known.push("help");
        listed.sort_unstable();
        known.sort_unstable();
        assert_eq!(listed, known);
    }
}
