//! The question before a command changes something.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use support::visible;

/// True while a question waits for its answer. A process has one terminal, so one flag is enough.
static IS_OPEN: AtomicBool = AtomicBool::new(false);

/// Returns true while a question waits for its answer: a signal then ends the program at once,
/// since nothing was changed and the read of the answer cannot be cancelled.
pub(super) fn is_open() -> bool {
    IS_OPEN.load(Ordering::SeqCst)
}

/// Returns true if there is a terminal to ask on.
pub(super) fn is_possible() -> bool {
    io::stdin().is_terminal()
}

/// Asks on the terminal, and returns true for a yes. Without a terminal there is nobody to ask, and
/// the answer is yes: scripts that were written for clusterctl expect no question.
pub(super) fn agrees(question: &str) -> bool {
    !is_possible() || confirm(question)
}

/// Asks on the terminal, and returns true for a yes.
pub(super) fn confirm(question: &str) -> bool {
    let answer = answer(&format!("{question} [y/N] "));
    answer.is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Asks for a word on the terminal, for what does not come back, and returns true if it was typed.
pub(super) fn typed(what: &str, word: &str) -> bool {
    let answer = answer(&format!("{what}Type {word} to delete it: "));
    answer.is_some_and(|answer| answer.trim() == word)
}

fn answer(question: &str) -> Option<String> {
    IS_OPEN.store(true, Ordering::SeqCst);
    let mut err = anstream::stderr().lock();
    let _ = write!(err, "{}", visible::output(question));
    let _ = err.flush();
    // The handler of signals prints too.
    drop(err);
    let mut answer = String::new();
    let is_read = io::stdin().lock().read_line(&mut answer).is_ok();
    IS_OPEN.store(false, Ordering::SeqCst);
    is_read.then_some(answer)
}
