//! A panic is a bug of this program. It must not leave clusters paused, so that it ends a run as
//! any error does.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use crate::visible;

/// Does work, and returns the message of a panic in it as an error.
///
/// # Errors
/// When the work panics. What it has changed in memory is to be left alone then.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| message(&*panic))
}

/// Names the phase after which a test lets a program with debug assertions panic; a released one
/// never does.
const ON_PURPOSE: &str = "KUBECTL_PIVOT_TEST_PANIC";

/// Panics if a test asks for it.
pub fn on_purpose(phase: &str) {
    let asked = || std::env::var(ON_PURPOSE).is_ok_and(|asked| asked == phase);
    assert!(!(cfg!(debug_assertions) && asked()), "a test lets the phase {phase} panic");
}

/// The message of a panic, in one line that is safe to show.
pub fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    visible::one_line(&text.unwrap_or_else(|| "without a message".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_with_its_message() {
        let foreign = "\u{1b}[2J";
        let panicked = caught(async { assert!(foreign.is_empty(), "got {foreign}") }).await;
        assert_eq!(panicked, Err(r"got \u{1b}[2J".to_owned()));
        assert_eq!(caught(async { 3 }).await, Ok(3));
    }
}
