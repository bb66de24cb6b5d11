//! Secrets in the environment of this process that the programs it starts have no use for. Such a
//! program runs code of others, in containers and plugins too, and what it prints gets into logs.

use std::ffi::OsString;

use support::redact::is_secret_variable;

/// Names of the variables that a program does not get: those that hold a secret by their names, but
/// for those that begin with one of these prefixes.
pub fn withheld(needed: &[&str]) -> Vec<OsString> {
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter(|name| name.to_str().is_some_and(|name| is_withheld(name, needed))).collect()
}

fn is_withheld(name: &str, needed: &[&str]) -> bool {
    is_secret_variable(name) && !needed.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_gets_no_secrets_but_its_own() {
        for name in ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "VAULT_TOKEN", "AZURE_CLIENT_SECRET"]
        {
            assert!(is_withheld(name, &["HELM_"]), "{name}");
        }
        for name in ["PATH", "HOME", "HTTPS_PROXY", "DOCKER_HOST", "KUBECONFIG", "HELM_TOKEN"] {
            assert!(!is_withheld(name, &["HELM_"]), "{name}");
        }
    }
}
