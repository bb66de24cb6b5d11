//! Man pages and completions, from the command line itself.

use std::io;
use std::path::Path;

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::error::DistError;
use crate::layout::Entry;

const PROGRAM: &str = "kubectl-pivot";

/// One page for each command.
pub(crate) fn man_pages() -> Result<Vec<Entry>, DistError> {
    let mut pages = Vec::new();
    let mut command = kubectl_pivot::cli::command().disable_help_subcommand(true);
    command.build();
    page(command, PROGRAM, &mut pages).map_err(DistError::io("write", Path::new("man")))?;
    Ok(pages)
}

fn page(command: Command, name: &str, pages: &mut Vec<Entry>) -> io::Result<()> {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        page(sub.clone(), &format!("{name}-{}", sub.get_name()), pages)?;
    }
    let mut bytes = Vec::new();
    Man::new(command.display_name(name.to_owned())).title(name).render(&mut bytes)?;
    pages.push(Entry { path: format!("man/man1/{name}.1"), bytes, is_program: false });
    Ok(())
}

/// For the shells that kubectl has completions for, too.
pub(crate) fn completions() -> Result<Vec<Entry>, DistError> {
    let shells = [
        (Shell::Bash, "kubectl-pivot.bash"),
        (Shell::Fish, "kubectl-pivot.fish"),
        (Shell::Zsh, "_kubectl-pivot"),
    ];
    let entries = shells.map(|(shell, file)| {
        let mut bytes = Vec::new();
        clap_complete::generate(shell, &mut kubectl_pivot::cli::command(), PROGRAM, &mut bytes);
        Entry { path: format!("completions/{file}"), bytes, is_program: false }
    });
    Ok(entries.into())
}
