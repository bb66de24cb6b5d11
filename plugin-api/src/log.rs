//! Log lines and panics of a plugin, on their way to the host.
//!
//! A plugin has its own copy of the standard library: what it prints would tear the host's
//! display, and its panic hook would print to standard error. So lines go through a callback of
//! the host, and nothing is ever printed here.

use std::cell::RefCell;
use std::sync::OnceLock;

use kubectl_pivot_plugin_abi::HostLog;

/// Importance of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LogLevel {
    /// Something went wrong.
    Error = 1,
    /// Something looks wrong.
    Warn = 2,
    /// Worth knowing.
    Info = 3,
    /// For somebody who looks for a mistake.
    Debug = 4,
}

impl LogLevel {
    /// The level that crossed the boundary as `number`; unknown ones are [`LogLevel::Debug`].
    pub fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Error,
            2 => Self::Warn,
            3 => Self::Info,
            _ => Self::Debug,
        }
    }
}

static HOST: OnceLock<HostLog> = OnceLock::new();

thread_local! {
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Sends one line to the host. Without a host, as in unit tests, it is dropped.
pub fn log(level: LogLevel, message: &str) {
    if let Some(host) = HOST.get() {
        (host.log)(host.token, level as u8, message.into());
    }
}

/// Connects to the host, once; later calls change nothing.
pub(crate) fn connect(host: HostLog) {
    if HOST.set(host).is_err() {
        return;
    }
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|place| format!("{}:{}", place.file(), place.line()));
        LAST_PANIC.with_borrow_mut(|last| *last = place.clone());
        let what = info.payload_as_str().unwrap_or("a panic without a message");
        let place = place.unwrap_or_else(|| "an unknown place".to_owned());
        log(LogLevel::Error, &format!("panicked at {place}: {what}"));
    }));
}

/// Returns the place where this thread panicked last, and forgets it.
pub(crate) fn take_panic_place() -> Option<String> {
    LAST_PANIC.with_borrow_mut(Option::take)
}
