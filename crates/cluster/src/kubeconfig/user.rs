//! The credentials of a user as requests carry them: of several ways to log in the one that
//! client-go uses.

use std::collections::HashMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use kube::config::{
    AuthInfo, AuthProviderConfig, ExecAuthCluster, ExecConfig, ExecInteractiveMode,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;

use super::document::{AuthProvider, Cluster, Exec, User};
use crate::credentials;
use crate::files;
use crate::tls::pem;

/// The name under which client-go looks for the settings of credential plugins.
const PLUGIN_SETTINGS: &str = "client.authentication.k8s.io/exec";

/// The characters of a token of HTTP (RFC 7230) but the percent sign, as client-go leaves them in
/// names of headers.
const IN_HEADER_NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'*')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Makes the credentials of a user for an API server that speaks TLS; plain HTTP gets none.
pub(super) fn credentials_of(user: &User, cluster: &Cluster) -> Result<AuthInfo, String> {
    let mut info = AuthInfo::default();
    add_certificate(&mut info, user)?;
    // A way that there is no more is refused even if another one would be used.
    let provider = user.auth_provider.as_ref().map(provider_of).transpose()?;
    let token = credentials::token(&user.token, &user.token_file)?;
    if let Some(token) = token {
        info.token = Some(SecretString::from(token));
    } else if !user.username.is_empty() {
        add_login(&mut info, (&user.username, &user.password));
    } else if provider.is_some() {
        info.auth_provider = provider;
    } else if let Some(exec) = &user.exec
        && info.client_certificate_data.is_none()
    {
        info.exec = Some(plugin_of(exec, cluster)?);
    }
    Ok(info)
}

/// The login in the URL of the API server counts before all others, which Go adds later and only to
/// requests without one.
pub(super) fn add_login_of_url(info: &mut AuthInfo, login: Option<&(String, String)>) {
    if let Some((user, password)) = login {
        (info.token, info.auth_provider, info.exec) = (None, None, None);
        add_login(info, (user, password));
    }
}

fn add_login(info: &mut AuthInfo, (user, password): (&str, &str)) {
    info.username = Some(user.to_owned());
    info.password = Some(SecretString::from(password.to_owned()));
}

/// The headers of an impersonation, which plain HTTP has too.
pub(super) fn impersonation(user: &User) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    if user.impersonate.is_empty() {
        return Ok(Vec::new());
    }
    let mut headers = vec![header("impersonate-user", &user.impersonate)?];
    if !user.impersonate_uid.is_empty() {
        headers.push(header("impersonate-uid", &user.impersonate_uid)?);
    }
    for group in &user.impersonate_groups {
        headers.push(header("impersonate-group", group)?);
    }
    for (key, values) in &user.impersonate_extra {
        let name = format!("impersonate-extra-{}", utf8_percent_encode(key, IN_HEADER_NAME));
        for value in values.iter().flatten() {
            headers.push(header(&name, value.as_deref().unwrap_or_default())?);
        }
    }
    Ok(headers)
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let name = HeaderName::try_from(name.to_ascii_lowercase());
    match (name, HeaderValue::from_bytes(value.as_bytes())) {
        (Ok(name), Ok(value)) => Ok((name, value)),
        _ => Err("the impersonation of its user (`as`) has a control character in it".to_owned()),
    }
}

/// Puts certificate and key in the one form that the library reads without surprises.
fn add_certificate(info: &mut AuthInfo, user: &User) -> Result<(), String> {
    if user.client_certificate.is_empty() && user.client_certificate_data.is_empty() {
        return Ok(());
    }
    let certificate = data_or_file(&user.client_certificate_data, &user.client_certificate)?;
    let key = data_or_file(&user.client_key_data, &user.client_key)?;
    let (certificate, key) = pem::identity(&certificate, &key)?;
    info.client_certificate_data = Some(STANDARD.encode(certificate));
    info.client_key_data = Some(SecretString::from(STANDARD.encode(key)));
    Ok(())
}

/// The contents that a kubeconfig has itself or names a file for.
pub(super) fn data_or_file(data: &[u8], file: &str) -> Result<Vec<u8>, String> {
    if !data.is_empty() || file.is_empty() {
        return Ok(data.to_vec());
    }
    files::read(Path::new(file)).map_err(|error| format!("{file} cannot be read: {error}"))
}

/// Of the ways that were built into kubectl one is left.
fn provider_of(provider: &AuthProvider) -> Result<AuthProviderConfig, String> {
    if provider.name != "oidc" {
        return Err(format!(
            "its user has the auth-provider {:?}, which kubectl does not have any more; use its \
             exec plugin",
            provider.name
        ));
    }
    let config: HashMap<String, String> = provider
        .config
        .iter()
        .map(|(key, value)| (key.clone(), value.clone().unwrap_or_default()))
        .collect();
    for field in ["idp-issuer-url", "client-id", "id-token"] {
        if config.get(field).is_none_or(String::is_empty) {
            return Err(format!("the auth-provider oidc of its user has no {field}"));
        }
    }
    Ok(AuthProviderConfig { name: provider.name.clone(), config, ..AuthProviderConfig::default() })
}

fn plugin_of(exec: &Exec, cluster: &Cluster) -> Result<ExecConfig, String> {
    let variables = exec.env.iter().flatten().map(|variable| {
        let pair = [("name", &variable.name), ("value", &variable.value)];
        pair.into_iter().map(|(key, value)| (key.to_owned(), value.clone())).collect()
    });
    let mode = match exec.interactive_mode.as_str() {
        "Never" => ExecInteractiveMode::Never,
        "Always" => ExecInteractiveMode::Always,
        _ => ExecInteractiveMode::IfAvailable,
    };
    let hint = Some(exec.install_hint.clone()).filter(|hint| !hint.is_empty());
    Ok(ExecConfig {
        api_version: Some(exec.api_version.clone()),
        command: Some(exec.command.clone()),
        args: Some(exec.args.clone()),
        env: Some(variables.collect()),
        install_hint: hint,
        interactive_mode: Some(mode),
        provide_cluster_info: exec.provide_cluster_info,
        cluster: exec.provide_cluster_info.then(|| for_plugin(cluster)).transpose()?,
        ..ExecConfig::default()
    })
}

/// The cluster as its credential plugin sees it.
fn for_plugin(cluster: &Cluster) -> Result<ExecAuthCluster, String> {
    let authority =
        data_or_file(&cluster.certificate_authority_data, &cluster.certificate_authority)?;
    let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let settings = cluster.extensions.iter().flatten().find(|named| named.name == PLUGIN_SETTINGS);
    Ok(ExecAuthCluster {
        server: text(&cluster.server),
        insecure_skip_tls_verify: cluster.insecure_skip_tls_verify.then_some(true),
        certificate_authority_data: Some(authority).filter(|authority| !authority.is_empty()),
        proxy_url: text(&cluster.proxy_url),
        tls_server_name: text(&cluster.tls_server_name),
        config: settings.map(|named| named.extension.clone()),
    })
}
