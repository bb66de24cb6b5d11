//! The settings of a connection, made of the entries that a context names.

use kube::config::Config;

use super::merged::Chosen;
use super::server::Server;
use super::{usable, user};
use crate::credentials;
use crate::proxy::{self, ProxyVariables};
use crate::tls::pem;

/// Makes what requests need of the entries that a context names.
pub(super) fn config_of(chosen: &Chosen) -> Result<Config, String> {
    let Chosen { context, cluster, user } = chosen;
    usable::check(chosen)?;
    let server = Server::parse(&cluster.server)?;
    let mut config = Config::new(server.url.clone());
    // The library knows only the proxy of the environment, and compares NO_PROXY with it instead of
    // the server.
    config.proxy_url = match cluster.proxy_url.as_str() {
        "" => ProxyVariables::of_process().proxy_for(&server.url),
        own => Some(proxy::own(own)?),
    };
    config.headers = user::impersonation(user)?;
    config.disable_compression = cluster.disable_compression;
    config.default_namespace.clone_from(&context.namespace);
    if server.is_tls() {
        usable::check_tls(cluster, user)?;
        config.accept_invalid_certs = cluster.insecure_skip_tls_verify;
        config.tls_server_name =
            Some(cluster.tls_server_name.clone()).filter(|name| !name.is_empty());
        let (data, file) = (&cluster.certificate_authority_data, &cluster.certificate_authority);
        let bundle = user::data_or_file(data, file)?;
        config.root_cert = (!bundle.is_empty()).then(|| pem::authorities(&bundle)).transpose()?;
        config.auth_info = user::credentials_of(user, cluster)?;
    }
    user::add_login_of_url(&mut config.auth_info, server.login.as_ref());
    credentials::check(&config)?;
    Ok(config)
}
