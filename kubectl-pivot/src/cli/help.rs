//! The overview of all commands, in groups.

use std::fmt::Write;

use clap::Command;

/// Groups of commands, as the overview shows them.
const GROUPS: [(&str, &[&str]); 5] = [
    (
        "Move",
        &["plan", "move", "resume", "rollback", "replace", "status", "verify", "explain", "rbac"],
    ),
    ("Backup", &["backup", "restore"]),
    ("Create", &["create", "delete", "abort", "render"]),
    ("Try out", &["demo", "sandbox"]),
    ("Setup", &["plugin", "doctor", "completion", "version", "help"]),
];

/// Examples of the overview.
pub(super) const EXAMPLES: &str = "Examples:
  kubectl pivot demo
  kubectl pivot move --to-kubeconfig target.kubeconfig --dry-run

\"kubectl pivot COMMAND --help\" has flags and examples of a command.";

/// Returns the command with its overview in groups, which clap has no means for. The title of a
/// group stands beside its first command, so that all fits a small terminal.
pub(super) fn command(command: Command) -> Command {
    // The flags are those of each command, so their help explains them.
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{{after-help}}",
        groups(&command)
    );
    command.help_template(template)
}

/// Returns the help of a command and of all commands below it as a page of Markdown.
pub(super) fn reference(command: Command) -> String {
    let mut root = command.term_width(100);
    root.build();
    let mut page = String::from(
        "# Commands\n\nThe help of each command, as `--help` prints it. A test holds this page to the program.\n",
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
    for (title, names) in GROUPS {
        for (index, name) in names.iter().enumerate() {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about =
                about.map_or_else(|| "Print the help of a command".to_owned(), ToString::to_string);
            let title = if index == 0 { title } else { "" };
            let _ = writeln!(text, "{title:<8} {name:<10} {about}");
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
    fn the_overview_fits_80_columns_and_34_lines() {
        let help = command(Cli::command()).term_width(80).render_help().to_string();
        assert!(help.lines().count() <= 34, "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    }

    #[test]
    fn the_groups_name_every_command_once() {
        let mut listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let command = Cli::command();
        let mut known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        known.push("help");
        listed.sort_unstable();
        known.sort_unstable();
        assert_eq!(listed, known);
    }
}
