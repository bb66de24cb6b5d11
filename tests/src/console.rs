//! Blocks of documents that show commands: whether and how a test runs them, and how output is
//! compared with what they show.
//!
//! A comment of HTML at the end of the line before a block says how it is run: `<!-- run: SETUP
//! -->` prepares the clusters, `<!-- not run: REASON -->` leaves it out. Without one it is run
//! where the block before it has ended. A line `<!-- no block is run: REASON -->` holds for a page.

use std::fs;
use std::path::{Path, PathBuf};

/// A block of commands, with the output that it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Preparations, if the block does not follow the one before.
    pub setup: Vec<String>,
    /// Reason why no test runs it.
    pub not_run: Option<String>,
    /// The commands in order.
    pub commands: Vec<Command>,
}

/// A command and the output below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The line for the shell.
    pub line: String,
    /// Lines of output; without any, all output is right.
    pub output: Vec<String>,
}

/// Every page that users read, by its path in the repository.
///
/// # Panics
/// When one cannot be read.
pub fn pages() -> Vec<(String, Vec<Block>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("in the workspace");
    let mut files = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    collect(&root.join("docs"), &mut files);
    files.sort();
    let page = |file: &PathBuf| {
        let text = fs::read_to_string(file).expect("readable");
        let name = file.strip_prefix(root).expect("in the workspace").display().to_string();
        (name, blocks(&text))
    };
    files.iter().map(page).filter(|(_, blocks)| !blocks.is_empty()).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
}

/// The blocks of commands of a page.
pub fn blocks(text: &str) -> Vec<Block> {
    let of_page = text.lines().find_map(|line| {
        line.strip_prefix("<!-- no block is run: ")?.strip_suffix(" -->").map(str::to_owned)
    });
    let mut found: Vec<Block> = Vec::new();
    let mut before = "";
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            if !line.trim().is_empty() {
                before = line;
            }
            continue;
        };
        let body: Vec<&str> =
            lines.by_ref().take_while(|line| line.trim_start() != "```").collect();
        if language == "console" {
            found.push(block(before, &body));
        }
        before = "";
    }
    for block in found.iter_mut().filter(|block| block.setup.is_empty()) {
        block.not_run = block.not_run.take().or_else(|| of_page.clone());
    }
    found
}

fn block(before: &str, body: &[&str]) -> Block {
    let mark = |name: &str| {
        let (_, mark) = before.split_once(&format!("<!-- {name}: "))?;
        mark.split_once(" -->").map(|(mark, _)| mark.to_owned())
    };
    let setup = mark("run")
        .into_iter()
        .flat_map(|setup| setup.split("; ").map(str::to_owned).collect::<Vec<_>>());
    Block { setup: setup.collect(), not_run: mark("not run"), commands: commands(body) }
}

/// With a prompt, lines without one are output; otherwise every line is a command.
fn commands(body: &[&str]) -> Vec<Command> {
    let has_prompt = body.iter().any(|line| line.starts_with("$ "));
    let mut commands: Vec<Command> = Vec::new();
    let mut is_continued = false;
    for line in body {
        let text = line.strip_prefix("$ ").unwrap_or(line);
        if is_continued {
            let last = commands.last_mut().expect("it was begun");
            last.line.push_str(text.trim_end_matches('\\').trim_start());
        } else if !has_prompt || line.starts_with("$ ") {
            let line = text.trim_end_matches('\\').trim_start().to_owned();
            commands.push(Command { line, output: Vec::new() });
        } else if let Some(last) = commands.last_mut() {
            last.output.push((*line).to_owned());
            continue;
        }
        is_continued = line.ends_with('\\');
    }
    for command in &mut commands {
        while command.output.last().is_some_and(|line| line.trim().is_empty()) {
            command.output.pop();
        }
    }
    commands.retain(|command| !command.line.is_empty());
    commands
}

/// Compares output with the lines of a document: `…` stands for any text within a line, and for any
/// lines as a line of its own; ids, times, versions, ports and folders may be others.
///
/// # Errors
/// The first line that is not there.
pub fn compare(shown: &[String], output: &str) -> Result<(), String> {
    let output: Vec<String> =
        output.lines().map(redacted).filter(|line| !line.is_empty()).collect();
    let mut at = 0;
    let mut may_skip = false;
    for line in shown.iter().filter(|line| !line.trim().is_empty()) {
        if line.trim() == "…" {
            may_skip = true;
            continue;
        }
        let wanted = redacted(line);
        let is_it = |line: &String| is_like(&wanted, line);
        let found = match may_skip {
            true => output[at..].iter().position(is_it).map(|skipped| at + skipped),
            false => output.get(at).filter(|line| is_it(line)).map(|_| at),
        };
        let Some(found) = found else {
            return Err(format!("{line:?} is not there, but {:?}", output.get(at)));
        };
        (at, may_skip) = (found + 1, false);
    }
    match output.get(at) {
        Some(line) if !may_skip => Err(format!("the document does not show {line:?}")),
        _ => Ok(()),
    }
}

/// Returns whether a line is as the document has it, with any text for each `…`.
fn is_like(wanted: &str, line: &str) -> bool {
    let mut parts = wanted.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first.trim_end()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.split_once(part.trim()) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last.trim())
}

/// A line without what differs from run to run, and with one space where there are several.
fn redacted(line: &str) -> String {
    let words = line.split_whitespace().map(word);
    words.collect::<Vec<_>>().join(" ")
}

fn word(word: &str) -> String {
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && !"/~".contains(c));
    let digits = bare.chars().filter(char::is_ascii_digit).count();
    let is_id = bare.len() == 8 && bare.chars().all(|c| c.is_ascii_hexdigit());
    if word.starts_with("./") {
        return "PATH".to_owned();
    }
    let is_path = bare.starts_with(['/', '~']) && bare.len() > 1;
    let is_url = ["https://127.", "http://127."].iter().any(|start| bare.starts_with(start));
    let is_time = bare.len() > 10 && bare.contains('T') && bare.ends_with('Z');
    let number = bare.trim_end_matches('s');
    let is_decimal = number.contains('.') && number.parse::<f64>().is_ok();
    let is_age = digits > 0 && digits + 1 == bare.len() && bare.ends_with(['s', 'm', 'h', 'd']);
    let is_version = digits > 2 && bare.trim_start_matches('v').split('.').count() == 3;
    let is_rule = bare.is_empty() && word.chars().all(|c| c == '-' || c == '─');
    let is_key = bare.starts_with("age1") && bare.len() > 40;
    for (is_it, name) in [
        (is_id, "ID"),
        (is_path, "PATH"),
        (is_url, "URL"),
        (is_time, "TIME"),
        (is_decimal || is_age, "NUMBER"),
        (is_version, "VERSION"),
        (is_key, "KEY"),
    ] {
        if is_it {
            return word.replace(bare, name);
        }
    }
    if is_rule { "-".to_owned() } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_block_has_its_mark_its_commands_and_their_output() {
        let page = "Text. <!-- run: fleet in a; plugins b -->\n\n\
                    ```console\n$ one \\\n  two\nout\n\n$ three\n```\n\n\
                    ```console\na\nb\n```\n\nNo. <!-- not run: why -->\n```console\nc\n```\n";
        let blocks = blocks(page);
        assert_eq!(blocks.len(), 3);
        assert_eq!(blocks[0].setup, ["fleet in a", "plugins b"]);
        assert_eq!(blocks[0].commands[0], Command { line: "one two".into(), output: lines("out") });
        assert_eq!(blocks[0].commands[1].line, "three");
        assert_eq!((blocks[1].commands.len(), &blocks[1].not_run), (2, &None));
        assert_eq!(blocks[2].not_run.as_deref(), Some("why"));
    }

    #[test]
    fn output_is_compared_but_for_what_differs() {
        let shown = lines("==> Check\n…\nMoved 2 clusters, https://127.0.0.1:1 to … in 2.4 s.");
        let good = "==> Check\r\nx\ny\n\nMoved 2 clusters, https://127.0.0.1:234 to b in 9.1 s.\n";
        assert_eq!(compare(&shown, good), Ok(()));
        for bad in [
            good.replace("Check", "Look"),
            good.replace("2 clusters", "3 clusters"),
            good.replace(" s.", " m."),
            format!("{good}more\n"),
            "==> Check\n".to_owned(),
        ] {
            assert!(compare(&shown, &bad).is_err(), "{bad}");
        }
        assert!(compare(&lines("a"), "b\na\n").is_err(), "nothing may come before it");
        assert_eq!(compare(&lines("a\n…"), "a\nb\n"), Ok(()));
    }
}
