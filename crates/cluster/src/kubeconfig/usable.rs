//! The contents that client-go refuses before the first request
//! (`k8s.io/client-go/tools/clientcmd/validation.go`, `k8s.io/client-go/transport`).

use std::fs::File;

use capi::valid;

use super::document::{Cluster, Exec, User};
use super::merged::Chosen;

/// Checks the entries that a context names, and their combination.
pub(super) fn check(chosen: &Chosen) -> Result<(), String> {
    check_cluster(&chosen.cluster)?;
    check_user(&chosen.user)?;
    let namespace = &chosen.context.namespace;
    if !namespace.is_empty() && !valid::is_label(namespace) {
        return Err(format!(
            "the namespace {namespace:?} of its context is not a valid name of a namespace"
        ));
    }
    Ok(())
}

fn check_cluster(cluster: &Cluster) -> Result<(), String> {
    let authority = &cluster.certificate_authority;
    if !authority.is_empty() && !cluster.certificate_authority_data.is_empty() {
        return Err(both("certificate-authority", "certificate-authority-data"));
    }
    can_be_read("certificate-authority", authority)
}

/// Checks a combination for TLS, of which nothing counts for plain HTTP.
pub(super) fn check_tls(cluster: &Cluster, user: &User) -> Result<(), String> {
    let has_authority =
        !cluster.certificate_authority.is_empty() || !cluster.certificate_authority_data.is_empty();
    if cluster.insecure_skip_tls_verify && has_authority {
        return Err(
            "it has both a certificate authority and insecure-skip-tls-verify; remove one of them"
                .to_owned(),
        );
    }
    if !user.username.is_empty() && !user.token_file.is_empty() {
        return Err(both("username", "tokenFile"));
    }
    user.exec.as_ref().map_or(Ok(()), check_version)
}

/// Checks the version of a credential plugin's answers, which counts even if another login is used.
fn check_version(exec: &Exec) -> Result<(), String> {
    let version = exec.api_version.as_str();
    if ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]
        .contains(&version)
    {
        return Ok(());
    }
    Err(format!(
        "the exec plugin of its user has the apiVersion {version:?}; \
         use client.authentication.k8s.io/v1"
    ))
}

fn check_user(user: &User) -> Result<(), String> {
    let has_password = !user.username.is_empty() || !user.password.is_empty();
    if !user.token.is_empty() && has_password {
        return Err(both("token", "username and password"));
    }
    check_certificate(user)?;
    if let Some(exec) = &user.exec {
        if user.auth_provider.is_some() {
            return Err(both("exec", "auth-provider"));
        }
        check_exec(exec)?;
    }
    let has_more = !user.impersonate_uid.is_empty()
        || !user.impersonate_groups.is_empty()
        || !user.impersonate_extra.is_empty();
    if has_more && user.impersonate.is_empty() {
        return Err("its user has as-uid, as-groups or as-user-extra without `as`".to_owned());
    }
    Ok(())
}

fn check_certificate(user: &User) -> Result<(), String> {
    let (file, data) = (&user.client_certificate, &user.client_certificate_data);
    if file.is_empty() && data.is_empty() {
        return Ok(());
    }
    let (key_file, key_data) = (&user.client_key, &user.client_key_data);
    if !file.is_empty() && !data.is_empty() {
        return Err(both("client-certificate", "client-certificate-data"));
    }
    if !key_file.is_empty() && !key_data.is_empty() {
        return Err(both("client-key", "client-key-data"));
    }
    if key_file.is_empty() && key_data.is_empty() {
        return Err("its user has a client certificate and no key; add client-key-data".to_owned());
    }
    can_be_read("client-certificate", file)?;
    can_be_read("client-key", key_file)
}

fn check_exec(exec: &Exec) -> Result<(), String> {
    let missing = |field: &str| Err(format!("the exec plugin of its user has no {field}"));
    // client-go sets the mode of these versions itself.
    let is_legacy =
        ["client.authentication.k8s.io/v1beta1", "client.authentication.k8s.io/v1alpha1"]
            .contains(&exec.api_version.as_str());
    if exec.command.is_empty() {
        return missing("command");
    }
    if exec.env.iter().any(|variable| variable.as_ref().is_none_or(|v| v.name.is_empty())) {
        return missing("name for a variable of `env`");
    }
    if exec.api_version.is_empty() {
        return missing("apiVersion");
    }
    match exec.interactive_mode.as_str() {
        "" if !is_legacy => missing("interactiveMode (Never, IfAvailable or Always)"),
        "" | "Never" | "IfAvailable" | "Always" => Ok(()),
        other => Err(format!("the exec plugin of its user has the interactiveMode {other:?}")),
    }
}

fn both(one: &str, other: &str) -> String {
    format!("it has both {one} and {other}; remove one of them")
}

fn can_be_read(field: &str, path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Ok(());
    }
    File::open(path)
        .map(drop)
        .map_err(|error| format!("its {field} {path} cannot be read: {error}"))
}
