//! Man pages and completions, from the command line itself.

use std::io;
use std::path::Path;

use clap::Command;
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

/// Scripts for the shells that kubectl has completions for, and the executable that kubectl asks.
pub(crate) fn completions() -> Vec<Entry> {
    let files = kubectl_pivot::cli::completion_files().into_iter();
    let entry = |(path, text): (&str, String)| Entry {
        path: path.to_owned(),
        is_program: text.starts_with("#!"),
        bytes: text.into_bytes(),
    };
    files.map(entry).collect()
}
