//! Installing, trusting and removing plugins. Installing and trusting run the library's code once,
//! to ask who it is: the user has said that they trust it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use kubectl_pivot_plugin_api::ABI_LEVEL;

use super::call::Plugin;
use super::error::PluginFileError;
use super::file::{Library, PluginFile};
use super::found::name_of;
use super::lock::{Lock, LockError};
use super::registry::libraries;
use super::sidecar::{Sidecar, SidecarError};
use super::write;

/// A plugin that was installed or trusted.
#[derive(Debug)]
pub struct Installed {
    /// The plugin, loaded.
    pub plugin: Plugin,
    /// The library, where it will be found.
    pub path: PathBuf,
}

/// The reason why a plugin is not installed, trusted or removed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The library is no plugin, or none that this program can use.
    #[error(transparent)]
    File(#[from] PluginFileError),
    /// A file in the folder of the plugins cannot be written or removed.
    #[error("cannot change {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The lock file cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The description cannot be written.
    #[error(transparent)]
    Sidecar(#[from] SidecarError),
    /// There is no such plugin to remove.
    #[error("no plugin `{name}` is in {}", folder.display())]
    NotInstalled {
        /// The name.
        name: String,
        /// The folder of the plugins.
        folder: PathBuf,
    },
}

impl InstallError {
    /// Returns what the user can do.
    pub fn hint(&self) -> Cow<'static, str> {
        match self {
            Self::File(error) => error.hint(),
            Self::Io { .. } | Self::Sidecar(_) => "check the permissions of the folder".into(),
            Self::Lock(error) => error.hint(),
            Self::NotInstalled { .. } => {
                "`kubectl pivot plugin list` shows where plugins are; only those of the user are \
                 removed"
                    .into()
            }
        }
    }
}

/// Copies `library` into `folder`, describes it and trusts it.
///
/// The library may come from anywhere: the user names its bytes, and those that are read once are
/// opened, copied and trusted. Who could change the copy is judged, and before it is written.
/// The copy is moved into place as a new file: writing into one that is loaded would end every
/// process that has it open.
///
/// # Errors
/// The library is no usable plugin, or the folder is not writable, or not only by the user. Nothing
/// is trusted then.
pub fn install(library: &Path, folder: &Path) -> Result<Installed, InstallError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| InstallError::Io { path, source }
    };
    let library = Library::read_anywhere(library)?;
    let name = Plugin::open_bytes(&library)?.info().name.clone();
    write::folder(folder).map_err(io(folder))?;
    let real = folder.canonicalize().map_err(io(folder))?;
    kubectl_pivot_own_files::check_folders(&real)
        .map_err(|source| PluginFileError::Permissions { path: folder.to_owned(), source })?;
    let file_name = format!(
        "{}kubectl_pivot_plugin_{}{}",
        std::env::consts::DLL_PREFIX,
        name.replace('-', "_"),
        std::env::consts::DLL_SUFFIX
    );
    let path = folder.join(file_name);
    write::file(&path, &library.bytes, 0o644).map_err(io(&path))?;
    note(&PluginFile { path, hash: library.file.hash }, None, folder)
}

/// Trusts the library as it is now: describes it beside itself if it has no description, and
/// notes its hash in the lock of `lock_folder`.
///
/// # Errors
/// The library is no usable plugin, or the lock is not writable.
pub fn trust(library: &Path, lock_folder: &Path) -> Result<Installed, InstallError> {
    note(&PluginFile::inspect(library)?, None, lock_folder)
}

/// Trusts the library that was found under a name, if that is its own name: trusting one name
/// must not take the trust from the library of another.
///
/// # Errors
/// As [`trust`], and if the library says that it is another plugin.
pub fn trust_as(name: &str, library: &Path, lock_folder: &Path) -> Result<Installed, InstallError> {
    note(&PluginFile::inspect(library)?, Some(name), lock_folder)
}

fn note(
    file: &PluginFile,
    expected: Option<&str>,
    lock_folder: &Path,
) -> Result<Installed, InstallError> {
    let library = file.path.as_path();
    let plugin = Plugin::open(file)?;
    let said = &plugin.info().name;
    if let Some(expected) = expected.filter(|expected| said != expected) {
        let (path, said, expected) = (file.path.clone(), said.clone(), expected.to_owned());
        return Err(PluginFileError::Misnamed { path, said, expected }.into());
    }
    let sidecar = Sidecar::new(plugin.info().clone(), ABI_LEVEL);
    if Sidecar::read(library).ok().as_ref() != Some(&sidecar) {
        sidecar.write(library)?;
    }
    let mut lock = Lock::read(lock_folder)?;
    lock.trust(plugin.info().name.clone(), file.hash.clone());
    lock.write(lock_folder)?;
    Ok(Installed { plugin, path: file.path.clone() })
}

/// Removes the plugin `name` from `folder`, and the trust in it. Loads nothing.
///
/// # Errors
/// It is not there, or cannot be removed.
pub fn remove(name: &str, folder: &Path) -> Result<(), InstallError> {
    let is_meant = |library: &PathBuf| name_of(library, &Sidecar::read(library)) == name;
    let found: Vec<_> = libraries(folder).into_iter().filter(is_meant).collect();
    if found.is_empty() {
        let (name, folder) = (name.to_owned(), folder.to_owned());
        return Err(InstallError::NotInstalled { name, folder });
    }
    let mut lock = Lock::read(folder)?;
    if lock.forget(name) {
        lock.write(folder)?;
    }
    for library in found {
        for path in [Sidecar::path_for(&library), library] {
            match std::fs::remove_file(&path) {
                // One that was copied here by hand need not be described.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                result => result.map_err(|source| InstallError::Io { path, source })?,
            }
        }
    }
    Ok(())
}
