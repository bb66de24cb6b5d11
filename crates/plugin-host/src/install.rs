//! Installing, trusting and removing plugins. Installing and trusting run the plugin's code once,
//! to ask who it is: the user has said that they trust it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use kubectl_pivot_plugin_api::{ABI_LEVEL, is_name};

use super::call::Plugin;
use super::error::PluginFileError;
use super::file::{Contents, PluginFile};
use super::form::{Form, PROGRAM_PREFIX};
use super::found::name_of;
use super::lock::{Lock, LockError};
use super::pin::Pin;
use super::registry::plugin_files;
use super::sidecar::{Sidecar, SidecarError};
use super::write;

/// A plugin that was installed or trusted.
#[derive(Debug)]
pub struct Installed {
    /// The plugin, loaded.
    pub plugin: Plugin,
    /// The library or the program, where it will be found.
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

/// Copies the library or the program `plugin` into `folder`, describes it and trusts it.
///
/// The file may come from anywhere: the user names its bytes, and those that are read once are
/// opened, copied and trusted. Who could change the copy is judged, and before it is written. The
/// copy is moved into place as a new file: writing into a library that is loaded would end every
/// process that has it open. A plugin of this name in the other form is removed.
///
/// # Errors
/// The file is no usable plugin, or the folder is not writable, or not only by the user. Nothing
/// is trusted then.
pub fn install(plugin: &Path, folder: &Path) -> Result<Installed, InstallError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| InstallError::Io { path, source }
    };
    let contents = Contents::read_anywhere(plugin)?;
    let opened = Plugin::open_contents(&contents)?;
    let name = usable_name(&opened, plugin)?;
    write::folder(folder).map_err(io(folder))?;
    let real = folder.canonicalize().map_err(io(folder))?;
    own_files::check_folders(&real)
        .map_err(|source| PluginFileError::Permissions { path: folder.to_owned(), source })?;
    let [library, program] = [Form::Library, Form::Program].map(|form| place(form, name, folder));
    let (path, other, mode) = match contents.form {
        Form::Library => (library, program, 0o644),
        Form::Program => (program, library, 0o755),
    };
    write::file(&path, &contents.bytes, mode).map_err(io(&path))?;
    let installed = note(&PluginFile { path, hash: contents.file.hash }, None, folder)?;
    remove_files(&other)?;
    Ok(installed)
}

/// Asks a plugin who it is, wherever it is, and changes nothing. Runs its code: the user has named
/// it.
///
/// # Errors
/// The file is no usable plugin.
pub fn describe(plugin: &Path) -> Result<Sidecar, InstallError> {
    let contents = Contents::read_anywhere(plugin)?;
    let opened = Plugin::open_contents(&contents)?;
    usable_name(&opened, plugin)?;
    let abi_level = match contents.form {
        Form::Program => None,
        Form::Library => Some(ABI_LEVEL),
    };
    Ok(Sidecar::new(opened.info().clone(), abi_level))
}

/// The place of an installed plugin.
fn place(form: Form, name: &str, folder: &Path) -> PathBuf {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};

    folder.join(match form {
        Form::Library => {
            format!("{DLL_PREFIX}kubectl_pivot_plugin_{}{DLL_SUFFIX}", name.replace('-', "_"))
        }
        Form::Program => format!("{PROGRAM_PREFIX}{name}"),
    })
}

/// The name of a plugin, which becomes that of a file.
fn usable_name<'a>(plugin: &'a Plugin, path: &Path) -> Result<&'a str, PluginFileError> {
    let said = plugin.info().name.as_str();
    if is_name(said) {
        return Ok(said);
    }
    Err(PluginFileError::Name { path: path.to_owned(), said: said.to_owned() })
}

/// Trusts the plugin as it is now: describes it beside itself if it has no description, and
/// notes its hash in the lock of `lock_folder`. One from elsewhere is trusted beside the plugin of
/// the same name that is installed in this folder.
///
/// # Errors
/// The file is no usable plugin, or the lock is not writable.
pub fn trust(library: &Path, lock_folder: &Path) -> Result<Installed, InstallError> {
    note(&PluginFile::inspect(library)?, None, lock_folder)
}

/// Trusts the plugin that was found under a name, if that is its own name: trusting one name
/// must not take the trust from another plugin.
///
/// # Errors
/// As [`trust`], and if the plugin says that it is another one.
pub fn trust_as(name: &str, library: &Path, lock_folder: &Path) -> Result<Installed, InstallError> {
    note(&PluginFile::inspect(library)?, Some(name), lock_folder)
}

fn note(
    file: &PluginFile,
    expected: Option<&str>,
    lock_folder: &Path,
) -> Result<Installed, InstallError> {
    let path = file.path.as_path();
    let plugin = Plugin::open(file)?;
    let said = usable_name(&plugin, path)?;
    if let Some(expected) = expected.filter(|expected| said != *expected) {
        let (path, said, expected) = (file.path.clone(), said.to_owned(), expected.to_owned());
        return Err(PluginFileError::Misnamed { path, said, expected }.into());
    }
    let abi_level = match Form::by_name(path) {
        Some(Form::Program) => None,
        Some(Form::Library) | None => Some(ABI_LEVEL),
    };
    let sidecar = Sidecar::new(plugin.info().clone(), abi_level);
    if Sidecar::read(path).ok().as_ref() != Some(&sidecar) {
        sidecar.write(path)?;
    }
    let (name, hash) = (plugin.info().name.clone(), file.hash.clone());
    let real = |folder: &Path| folder.canonicalize().ok();
    let is_installed = path.parent().and_then(real) == real(lock_folder);
    Lock::change(lock_folder, |lock| match is_installed {
        true => lock.trust(name, hash),
        false => lock.trust_at(name, path.to_owned(), hash),
    })?;
    Ok(Installed { plugin, path: file.path.clone() })
}

/// Notes in the lock of `folder` that a plugin, which is installed, came from a registry, and
/// trusts the files that were published with it.
///
/// # Errors
/// The lock is not writable.
pub fn pin(name: &str, pin: Pin, folder: &Path) -> Result<(), InstallError> {
    Ok(Lock::change(folder, |lock| lock.pin(name, pin))?)
}

/// Removes the plugin `name` from `folder`, and the trust in it. Loads nothing.
///
/// # Errors
/// It is not there, or cannot be removed.
pub fn remove(name: &str, folder: &Path) -> Result<(), InstallError> {
    let is_meant = |file: &PathBuf| name_of(file, &Sidecar::read(file)) == name;
    let found: Vec<_> = plugin_files(folder).into_iter().filter(is_meant).collect();
    if found.is_empty() {
        let (name, folder) = (name.to_owned(), folder.to_owned());
        return Err(InstallError::NotInstalled { name, folder });
    }
    if Lock::read(folder)?.trusted(name).is_some() {
        Lock::change(folder, |lock| _ = lock.forget(name))?;
    }
    found.iter().try_for_each(|file| remove_files(file))
}

/// Removes a plugin and its description, as far as they are there: one that was copied by hand need
/// not be described.
fn remove_files(plugin: &Path) -> Result<(), InstallError> {
    for path in [Sidecar::path_for(plugin), plugin.to_owned()] {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            result => result.map_err(|source| InstallError::Io { path, source })?,
        }
    }
    Ok(())
}
