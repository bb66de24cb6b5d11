//! The credentials of a kubeconfig: made fit for requests before the first one, and problems with them reported
//! without showing any of them.

use std::error::Error as StdError;
use std::fs;

use kube::client::AuthError;
use kube::config::Config;
use secrecy::{ExposeSecret, SecretString};
use support::causes::in_one_line;
use support::redact::Redactor;
use support::visible;

/// Lines that are shown of what a credential plugin prints before it fails.
const PLUGIN_LINES: usize = 3;

/// Puts the token of a token file in its place, without the line break that most of these files end with, as
/// client-go does. A new one is read with the kubeconfig, when the API server takes this one no more.
pub(super) fn read_token_file(config: &mut Config) -> Result<(), String> {
    let user = &mut config.auth_info;
    let has_password = user.username.is_some() && user.password.is_some();
    let has_other = has_password || user.auth_provider.is_some();
    let file = user.token_file.take().filter(|file| !file.is_empty() && !has_other);
    let Some(file) = file else { return Ok(()) };
    match fs::read_to_string(&file) {
        Ok(token) => user.token = Some(SecretString::from(token.trim())),
        // The token beside it is the one from before the first renewal.
        Err(_) if user.token.is_some() => {}
        Err(error) => return Err(format!("its token file {file} cannot be read: {error}")),
    }
    Ok(())
}

/// Finds credentials that the library which sends requests would panic about.
pub(super) fn check(config: &Config) -> Result<(), String> {
    let token = config.auth_info.token.as_ref().map(ExposeSecret::expose_secret);
    if token.is_some_and(|token| http::HeaderValue::from_str(token).is_err()) {
        return Err("its token has a line break or another control character in it".to_owned());
    }
    Ok(())
}

/// Describes why no client could be made, or why no credentials could be had for a request.
pub(super) fn describe(error: &(dyn StdError + 'static)) -> String {
    let text = auth_error(error).map_or_else(|| in_one_line(error), describe_auth);
    visible::one_line(&Redactor::default().text(&text))
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
        fs::write(file.path(), "new\r\n").expect("written");
        for (path, expected) in [
            (file.path().display().to_string(), "new"),
            ("/no".to_owned(), "old"),
            (String::new(), "old"),
        ] {
            let mut config = Config::new("https://127.0.0.1:6443".parse().expect("a URL"));
            config.auth_info.token = Some(SecretString::from("old"));
            config.auth_info.token_file = Some(path);
            read_token_file(&mut config).expect("a token");
            let token = config.auth_info.token.as_ref().map(ExposeSecret::expose_secret);
            assert_eq!(token, Some(expected));
        }
    }

    #[test]
    fn a_token_file_is_read_without_its_line_break() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        fs::write(file.path(), "abc\n").expect("written");
        let mut config = Config::new("https://127.0.0.1:6443".parse().expect("a URL"));
        config.auth_info.token_file = Some(file.path().display().to_string());
        read_token_file(&mut config).expect("readable");
        let token = config.auth_info.token.as_ref().map(ExposeSecret::expose_secret);
        assert_eq!(token, Some("abc"));
        assert!(check(&config).is_ok());
        config.auth_info.token = None;
        config.auth_info.token_file = Some("/does/not/exist".to_owned());
        let problem = read_token_file(&mut config).expect_err("no file");
        assert!(problem.contains("/does/not/exist"), "{problem}");
    }
}
