//! Opening a library: the only file that knows `libloading` and `abi_stable`.
//!
//! Opening runs the library's code. Callers have decided to trust its bytes, and [`Contents`] has
//! looked at them. Libraries are leaked on purpose.
#![expect(unsafe_code, reason = "opening a library, and the one symbol that is looked up in it")]

use std::ffi::c_int;
use std::io;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use abi_stable::library::{AbiHeaderRef, LibraryError};
use kubectl_pivot_plugin_abi::{ABI_LEVEL, HEADER_SYMBOL, HostLog, PluginRootRef, RResult, RStr};
use kubectl_pivot_plugin_api::LogLevel;
use libloading::os::unix::{Library as UnixLibrary, RTLD_LOCAL, RTLD_NOW};

use super::call::Invoke;
use super::error::PluginFileError;
use super::file::{Contents, Sha256};
use super::place::Place;
use super::watched;

/// The time of a call, as that of a program.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Libraries that are open, by the hash of their bytes. The same bytes are opened once.
static OPEN: Mutex<Vec<(Sha256, PluginRootRef)>> = Mutex::new(Vec::new());

/// Libraries that may log, by token.
static LOGGING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Flags with which a library is opened.
///
/// `RTLD_NOW`: a symbol that is missing is an error here, and not the end of the process in the
/// middle of a run. `RTLD_LOCAL`: all plugins export the same symbol, and each has its own copy of
/// the standard library; none may be taken for that of another.
const FLAGS: c_int = RTLD_NOW | RTLD_LOCAL;

/// Opens a library and checks that it can be called.
pub(super) fn open(library: &Contents) -> Result<Box<Invoke>, PluginFileError> {
    let root = root_of(library)?;
    let invoke = root.invoke();
    Ok(watched::within(CALL_TIMEOUT, move |method, request| {
        match invoke(method.into(), request.into()) {
            RResult::ROk(answer) => Ok(answer.into_vec()),
            RResult::RErr(error) => Err(error.into_vec()),
        }
    }))
}

fn root_of(library: &Contents) -> Result<PluginRootRef, PluginFileError> {
    let (path, hash) = (&library.file.path, &library.file.hash);
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, root)) = open.iter().find(|(known, _)| known == hash) {
        return Ok(*root);
    }
    // The root module is that of this very header: the shortcut of `abi_stable` that loads by type
    // would return the first plugin for every later one.
    let root = header_of(path, &library.bytes)?
        .upgrade()
        .and_then(|header| header.init_root_module::<PluginRootRef>())
        .map_err(|error| explain(path, &error))?;
    check_root(path, root.abi_level(), root.panic_unwind())?;
    root.set_log()(HostLog { token: register(path), log: receive });
    open.push((hash.clone(), root));
    Ok(root)
}

fn header_of(path: &Path, bytes: &[u8]) -> Result<AbiHeaderRef, PluginFileError> {
    // A system may run files of its folders and no memory files.
    let opened = open_from(path, Place::of(bytes))
        .or_else(|error| open_from(path, Place::in_private_folder(bytes)).map_err(|_| error))?;
    // Nothing could tell whether something of the library is still in use.
    let opened = std::mem::ManuallyDrop::new(opened);
    // SAFETY: under this name `abi_stable` exports a header, whose first bytes `upgrade` compares
    // before it reads on. The library is never closed, so the reference lives on.
    let header = unsafe { opened.get::<AbiHeaderRef>(HEADER_SYMBOL.as_bytes()) };
    match header {
        Ok(header) => Ok(*header),
        Err(_) => Err(PluginFileError::NotAPlugin { path: path.to_owned() }),
    }
}

fn open_from(path: &Path, place: io::Result<Place>) -> Result<UnixLibrary, PluginFileError> {
    let place = place.map_err(|source| PluginFileError::Read { path: path.to_owned(), source })?;
    // SAFETY: this runs the initialisers of the library. The caller trusts these bytes, and they
    // are a whole library for this machine.
    let opened = unsafe { UnixLibrary::open(Some(place.path()), FLAGS) };
    opened.map_err(|error| {
        let (there, path) = (place.path().display().to_string(), path.to_owned());
        let reason = error.to_string().replace(&there, &path.display().to_string());
        PluginFileError::Open { path, reason }
    })
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
    let text = error.to_string();
    tracing::debug!(plugin = %path.display(), "{text}");
    PluginFileError::Abi { path: path.to_owned(), reason: tail(&text) }
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
        let text = "Compared <this>:\n  pages of layout\nError:too few\nError:too many fields\n  \
                    Expected:\n 4\nFound:\n 3\n";
        assert_eq!(tail(text), "Error:too many fields Expected: 4 Found: 3");
        assert_eq!(tail("plain"), "plain");
    }
}
