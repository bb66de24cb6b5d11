//! The credentials of a kubeconfig: made fit for requests before the first one, and problems with
//! them reported without showing any of them.

use std::error::Error as StdError;
use std::path::Path;

use kube::client::AuthError;
use kube::config::{Config, ExecConfig};
use secrecy::{ExposeSecret, SecretString};
use support::causes::in_one_line;
use support::redact::Redactor;
use support::visible;

use super::files;

/// Lines that are shown of what a credential plugin prints before it fails.
const PLUGIN_LINES: usize = 3;

/// Returns the token of a user: that of the token file, without the line break that most of these
/// files end with, as client-go does, or the one beside it as long as the file cannot be read. A
/// new one is read with the kubeconfig, when the API server takes this one no more.
pub(super) fn token(beside: &str, file: &str) -> Result<Option<String>, String> {
    let beside = Some(beside).filter(|token| !token.is_empty()).map(str::to_owned);
    if file.is_empty() {
        return Ok(beside);
    }
    let problem = match files::read_text(Path::new(file)) {
        Ok(token) if !token.trim().is_empty() => return Ok(Some(token.trim().to_owned())),
        Ok(_) => "is empty".to_owned(),
        Err(error) => format!("cannot be read: {error}"),
    };
    beside.map_or_else(|| Err(format!("its token file {file} {problem}")), |token| Ok(Some(token)))
}

/// Puts the token of a token file in its place.
pub(super) fn read_token_file(config: &mut Config) -> Result<(), String> {
    let file = config.auth_info.token_file.take().unwrap_or_default();
    config.auth_info.token = token("", &file)?.map(SecretString::from);
    Ok(())
}

/// Finds credentials that the library which sends requests would panic about.
pub(super) fn check(config: &Config) -> Result<(), String> {
    let token = config.auth_info.token.as_ref().map(ExposeSecret::expose_secret);
    if token.is_some_and(|token| http::HeaderValue::from_bytes(token.as_bytes()).is_err()) {
        return Err("its token has a line break or another control character in it".to_owned());
    }
    Ok(())
}

/// Describes why no client could be made, or why no credentials could be had for a request.
pub(super) fn describe(error: &(dyn StdError + 'static)) -> String {
    let text = auth_error(error).map_or_else(|| in_one_line(error), describe_auth);
    visible::one_line(&Redactor::default().text(&text))
}

/// Describes why no client could be made for a user with a credential plugin, which knows how to
/// install it.
pub(super) fn describe_of_plugin(error: &kube::Error, plugin: Option<&ExecConfig>) -> String {
    let text = describe(error);
    let (Some(AuthError::AuthExecStart(_)), Some(plugin)) = (auth_error(error), plugin) else {
        return text;
    };
    let command = plugin.command.as_deref().unwrap_or_default();
    let hint = plugin.install_hint.as_deref().map(|hint| format!("; {}", hint.trim()));
    visible::one_line(&format!("{text} ({command}){}", hint.unwrap_or_default()))
}

/// The failure of credentials among an error and its causes.
pub(super) fn auth_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a AuthError> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<AuthError>() {
            return Some(found);
        }
        if let Some(kube::Error::Auth(found)) = error.downcast_ref::<kube::Error>() {
            return Some(found);
        }
        current = error.source();
    }
    None
}

/// The library's own words hold the plugin's output, arguments and environment, and so its tokens.
fn describe_auth(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecStart(error) => {
            format!("the credential plugin of its user cannot be started: {error}")
        }
        AuthError::AuthExecRun { out, .. } => {
            let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
            let lines: Vec<&str> = stderr.lines().filter(|line| !line.trim().is_empty()).collect();
            let last = lines.get(lines.len().saturating_sub(PLUGIN_LINES)..).unwrap_or_default();
            let said = if last.is_empty() { "" } else { ": " };
            let status = out.status;
            format!("the credential plugin of its user failed ({status}){said}{}", last.join(" "))
        }
        AuthError::AuthExecParse(_) => {
            "the credential plugin of its user printed no ExecCredential".to_owned()
        }
        AuthError::ExecPluginFailed => {
            "the credential plugin of its user printed an ExecCredential without status".to_owned()
        }
        error => in_one_line(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{ExitStatus, Output};

    use super::*;

    #[test]
    fn a_plugin_that_fails_shows_nothing_but_its_last_errors() {
        let out = Output {
            status: ExitStatus::from_raw(256),
            stdout: b"CANARYout".to_vec(),
            stderr: b"one\ntwo\nthree\n\x1b[2Jlogin again, token: CANARYerr\n".to_vec(),
        };
        let cmd = "X=\"CANARYenv\" \"login\" \"--secret=CANARYarg\"".to_owned();
        let error = AuthError::AuthExecRun { cmd, out: Box::new(out) };
        let text = describe(&kube::Error::Auth(error));
        assert!(!text.contains("CANARY") && !text.contains("one"), "{text}");
        assert!(text.contains("exit status: 1") && text.contains("login again"), "{text}");
        assert!(text.contains(r"\u{1b}[2J"), "{text}");
    }

    #[test]
    fn output_that_is_no_credential_is_not_shown() {
        let broken = serde_saphyr::from_str::<i32>("token: CANARY").expect_err("no number");
        let text = describe(&kube::Error::Auth(AuthError::AuthExecParse(Box::new(broken))));
        assert!(!text.contains("CANARY") && text.contains("no ExecCredential"), "{text}");
    }

    #[test]
    fn a_token_file_wins_over_a_token_as_long_as_it_can_be_read() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let path = file.path().display().to_string();
        let of = |beside, file: &str| token(beside, file);
        assert_eq!(of("old", "/no"), Ok(Some("old".to_owned())));
        assert_eq!(of("old", ""), Ok(Some("old".to_owned())));
        assert_eq!(of("", ""), Ok(None));
        assert_eq!(of("old", &path), Ok(Some("old".to_owned())), "the file is empty");
        std::fs::write(&path, "new\r\n").expect("written");
        assert_eq!(of("old", &path), Ok(Some("new".to_owned())));
        let problem = of("", "/does/not/exist").expect_err("no file");
        assert!(problem.contains("/does/not/exist"), "{problem}");
    }
}
