//! Opening a library: the only file that knows `abi_stable`.
//!
//! Opening runs the library's code. Callers have decided to trust it, and [`PluginFile::inspect`]
//! has looked at its bytes. Libraries are leaked on purpose.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use abi_stable::library::{LibraryError, lib_header_from_path};
use kubectl_pivot_plugin_abi::{ABI_LEVEL, HostLog, PluginRootRef, RResult, RStr};
use kubectl_pivot_plugin_api::LogLevel;

use super::call::Invoke;
use super::error::PluginFileError;
use super::file::PluginFile;

/// Libraries that may log, by token.
static LOGGING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Opens a library and checks that it can be called.
///
/// The root module is initialised from the header of this very file: the shortcut of `abi_stable`
/// that loads by type would return the first plugin for every later one.
pub(super) fn open(file: &PluginFile) -> Result<Box<Invoke>, PluginFileError> {
    let path = &file.path;
    let root = lib_header_from_path(path)
        .and_then(|header| header.init_root_module::<PluginRootRef>())
        .map_err(|error| explain(path, &error))?;
    check_root(path, root.abi_level(), root.panic_unwind())?;
    root.set_log()(HostLog { token: register(path), log: receive });
    let invoke = root.invoke();
    Ok(Box::new(move |method, request| match invoke(method.into(), request.into()) {
        RResult::ROk(answer) => Ok(answer.into_vec()),
        RResult::RErr(error) => Err(error.into_vec()),
    }))
}

fn check_root(path: &Path, abi_level: u32, panic_unwind: bool) -> Result<(), PluginFileError> {
    let path = path.to_owned();
    match (abi_level, panic_unwind) {
        (ABI_LEVEL, true) => Ok(()),
        (ABI_LEVEL, false) => Err(PluginFileError::PanicAbort { path }),
        (found, _) => Err(PluginFileError::AbiLevel { path, found }),
    }
}

fn explain(path: &Path, error: &LibraryError) -> PluginFileError {
    let path = path.to_owned();
    match error {
        LibraryError::OpenError { err, .. } => {
            PluginFileError::Open { path, reason: err.to_string() }
        }
        LibraryError::GetSymbolError { .. } => PluginFileError::NotAPlugin { path },
        other => {
            let text = other.to_string();
            tracing::debug!(plugin = %path.display(), "{text}");
            PluginFileError::Abi { path, reason: tail(&text) }
        }
    }
}

/// The check dumps both layouts, many pages; what matters follows the last `Error:`.
fn tail(text: &str) -> String {
    let from = text.rfind("Error:").unwrap_or(0);
    let words: Vec<_> = text[from..].split_whitespace().take(40).collect();
    words.join(" ")
}

fn register(path: &Path) -> usize {
    let mut paths = LOGGING.lock().unwrap_or_else(PoisonError::into_inner);
    paths.push(path.to_owned());
    paths.len() - 1
}

/// Takes a log line of a plugin. A panic here would end the process, so none leaves it.
extern "C" fn receive(token: usize, level: u8, line: RStr<'_>) {
    let forward = || {
        let path = {
            let paths = LOGGING.lock().unwrap_or_else(PoisonError::into_inner);
            paths.get(token).cloned().unwrap_or_default()
        };
        let plugin = path.file_name().unwrap_or_default().to_string_lossy();
        match LogLevel::from_number(level) {
            LogLevel::Error => tracing::error!(target: "plugin", %plugin, "{line}"),
            LogLevel::Warn => tracing::warn!(target: "plugin", %plugin, "{line}"),
            LogLevel::Info => tracing::info!(target: "plugin", %plugin, "{line}"),
            LogLevel::Debug => tracing::debug!(target: "plugin", %plugin, "{line}"),
        }
    };
    // Nothing can be done about a logger that panics.
    drop(catch_unwind(forward));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_other_levels_and_panics_that_abort() {
        let path = Path::new("/p.so");
        let check = |level, unwind| check_root(path, level, unwind).map_err(|e| e.to_string());
        assert_eq!(check(ABI_LEVEL, true), Ok(()));
        let level = "the plugin /p.so has ABI level 2, this program has 1".to_owned();
        assert_eq!(check(2, true), Err(level));
        let abort = "the plugin /p.so was built with panic = \"abort\"".to_owned();
        assert_eq!(check(ABI_LEVEL, false), Err(abort));
    }

    #[test]
    fn keeps_only_the_end_of_the_layout_check() {
        let text = "Compared <this>:\n  pages of layout\nError:too few\nError:too many fields\n  Expected:\n 4\nFound:\n 3\n";
        assert_eq!(tail(text), "Error:too many fields Expected: 4 Found: 3");
        assert_eq!(tail("plain"), "plain");
    }
}
