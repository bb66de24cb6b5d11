//! A panic is shown in one line, as every other error.

use std::panic::PanicHookInfo;

use support::panics::message;

use crate::render;

/// Prints where the program panics in one line, as the rest of its errors.
pub fn print_where() {
    std::panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place =
            info.location().map_or_else(|| "an unknown place".to_owned(), |l| l.to_string());
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        tracing::error!(backtrace = %std::backtrace::Backtrace::force_capture(), "panic");
        render::print_error(&format!(
            "bug: thread {thread} panicked at {place}: {}",
            message(info.payload())
        ));
    }));
}
