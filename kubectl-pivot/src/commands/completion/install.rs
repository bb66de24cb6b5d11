//! `completion install`: the files that shells and kubectl look for.
//!
//! kubectl completes the arguments of a plugin by an executable beside it, whose name has
//! `_complete` before the first dash; see `kubectl plugin list --help`. It answers in the protocol
//! of cobra.

use std::env;
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::CompletionError;
use crate::commands::CommandError;

/// Stands in every file that this writes: another one is not replaced.
const MARK: &str = "kubectl pivot completion install";

/// The request of `completion install`.
#[derive(Clone, Debug)]
pub struct CompletionRequest {
    /// Name of the program, as the user calls it.
    pub program: String,
    /// The script of the shell.
    pub script: ShellScript,
    /// Folder for the executable that kubectl asks; a fitting one if absent.
    pub bin_folder: Option<PathBuf>,
}

/// A script that completes command lines.
#[derive(Clone, Debug)]
pub struct ShellScript {
    /// Name of the shell.
    pub shell: &'static str,
    /// The script.
    pub text: String,
}

/// The result of `completion install`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstalledCompletion {
    /// Version of this document's schema.
    pub api_version: &'static str,
    /// `InstalledCompletion`.
    pub kind: &'static str,
    /// Name of the shell.
    pub shell: &'static str,
    /// File with the script; none if the shell reads no folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<PathBuf>,
    /// Executable that kubectl asks; a program of clusterctl has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completer: Option<PathBuf>,
    /// Lines to add to the files of the shell, if it does not look where the script is.
    pub add: Vec<String>,
}

/// Writes the script where the shell looks for it, and the executable that kubectl asks.
///
/// # Errors
/// When a file cannot be written, or is somebody else's.
pub fn completion_install(
    request: &CompletionRequest,
) -> Result<InstalledCompletion, CommandError> {
    let ShellScript { shell, text } = &request.script;
    let script = script_file(shell, &request.program)?;
    if let Some(file) = &script {
        write(file, &with_mark(text), 0o644)?;
    }
    Ok(InstalledCompletion {
        api_version: "kubectl-pivot.io/v1alpha1",
        kind: "InstalledCompletion",
        shell,
        add: lines_to_add(shell, script.as_deref()),
        script,
        completer: install_completer(request)?,
    })
}

/// zsh looks at the first line of a file, so the mark stands in the last one.
fn with_mark(script: &str) -> String {
    format!("{}\n# Written by `{MARK}`.\n", script.trim_end())
}

/// Returns the file from which a shell loads the completion of a program. PowerShell has a profile
/// only.
fn script_file(shell: &str, program: &str) -> Result<Option<PathBuf>, CompletionError> {
    let data = dirs::data_dir().ok_or(CompletionError::NoHome)?;
    let config = dirs::config_dir().ok_or(CompletionError::NoHome)?;
    Ok(match shell {
        "bash" => Some(data.join("bash-completion/completions").join(program)),
        "zsh" => Some(data.join("zsh/site-functions").join(format!("_{program}"))),
        "fish" => Some(config.join("fish/completions").join(format!("{program}.fish"))),
        _ => None,
    })
}

/// zsh has no folder of the user that it looks in by itself, and not every bash has
/// bash-completion.
fn lines_to_add(shell: &str, script: Option<&Path>) -> Vec<String> {
    match (shell, script) {
        ("zsh", Some(script)) => {
            let folder = script.parent().unwrap_or(script).display();
            vec![format!("fpath=({folder} $fpath)    # in ~/.zshrc, before compinit")]
        }
        ("powershell", _) => {
            vec![
                "kubectl pivot completion powershell | Out-String | Invoke-Expression    # in \
                 $PROFILE"
                    .to_owned(),
            ]
        }
        _ => Vec::new(),
    }
}

/// Writes the executable that kubectl asks: into the named folder, else beside the program, else
/// into the first folder in `PATH` below the home directory that takes it. A program of clusterctl
/// needs none, since clusterctl asks nobody.
fn install_completer(request: &CompletionRequest) -> Result<Option<PathBuf>, CompletionError> {
    let program = &request.program;
    let Some(name) = completer_name(program) else { return Ok(None) };
    let text = completer_of_kubectl(program);
    if let Some(folder) = &request.bin_folder {
        let file = std::path::absolute(folder).unwrap_or_else(|_| folder.clone()).join(&name);
        write(&file, &text, 0o755)?;
        return Ok(Some(file));
    }
    let folders = path_folders();
    let holds_it = folders.iter().filter(|folder| folder.join(program).is_file());
    let home = env::home_dir().unwrap_or_default();
    let is_of_user = |folder: &&PathBuf| !home.as_os_str().is_empty() && folder.starts_with(&home);
    for folder in holds_it.chain(folders.iter().filter(is_of_user)) {
        let file = folder.join(&name);
        match write(&file, &text, 0o755) {
            Ok(()) => return Ok(Some(file)),
            Err(error @ CompletionError::Foreign(_)) => return Err(error),
            // The next folder may be writable.
            Err(_) => {}
        }
    }
    Err(CompletionError::NoFolder { name, program: program.clone() })
}

/// Returns the name under which kubectl looks for the completion of a plugin, as its source says:
/// `_complete` before the first dash.
fn completer_name(program: &str) -> Option<String> {
    program.strip_prefix("kubectl-").map(|rest| format!("kubectl_complete-{rest}"))
}

/// Returns the executable that kubectl asks for candidates of a program of this name.
pub fn completer_of_kubectl(program: &str) -> String {
    format!(
        "#!/bin/sh\n# Completion of {program} for kubectl. Written by `{MARK}`.\nexec {program} \
         __complete \"$@\"\n"
    )
}

/// Returns the executable that kubectl would ask, if it is in `PATH`, and its name.
pub(in crate::commands) fn completer_in_path(program: &str) -> (Option<PathBuf>, String) {
    let name = completer_name(program).unwrap_or_else(|| "kubectl_complete-pivot".to_owned());
    let files = path_folders().into_iter().map(|folder| folder.join(&name));
    (files.into_iter().find(|file| is_executable(file)), name)
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Returns the folders of `PATH` that are there. A relative one would mean another folder tomorrow.
fn path_folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).filter(|folder| folder.is_absolute() && folder.is_dir()).collect()
}

/// Writes a file by a rename, so that nobody runs half of it, unless somebody else has written it.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), CompletionError> {
    let failed = |source| CompletionError::Write { path: path.to_owned(), source };
    match fs::read_to_string(path) {
        Ok(there) if there == text => return Ok(()),
        Ok(there) if !there.contains(MARK) => {
            return Err(CompletionError::Foreign(path.to_owned()));
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(CompletionError::Foreign(path.to_owned()));
        }
        _ => {}
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectl_finds_the_completion_of_a_plugin_by_its_name() {
        assert_eq!(completer_name("kubectl-pivot").as_deref(), Some("kubectl_complete-pivot"));
        assert_eq!(
            completer_name("kubectl-capi_pivot").as_deref(),
            Some("kubectl_complete-capi_pivot")
        );
        assert_eq!(completer_name("clusterctl-pivot"), None);
    }

    #[test]
    fn a_file_of_somebody_else_stays() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("kubectl_complete-pivot");
        fs::write(&file, "#!/bin/sh\necho mine\n").expect("written");
        let error = write(&file, &completer_of_kubectl("kubectl-pivot"), 0o755);
        assert!(matches!(error, Err(CompletionError::Foreign(_))), "{error:?}");
        assert!(fs::read_to_string(&file).expect("readable").contains("mine"));
        fs::remove_file(&file).expect("removed");
        write(&file, &completer_of_kubectl("kubectl-old"), 0o755).expect("written");
        write(&file, &completer_of_kubectl("kubectl-pivot"), 0o755).expect("written again");
        assert!(is_executable(&file));
        assert!(fs::read_to_string(&file).expect("readable").contains("exec kubectl-pivot"));
    }
}
