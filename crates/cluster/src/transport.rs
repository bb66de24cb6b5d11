//! The way of requests: TLS by the rules of Go, through a proxy, with the headers of a kubeconfig.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt as _};
use kube::config::Config;
use percent_encoding::percent_decode_str;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tower::BoxError;
use tower::util::MapErrLayer;
use tower_http::decompression::DecompressionLayer;

use super::connector::{Connector, any};
use super::credentials;
use super::tls::Verifier;

/// The time for a connection, with its proxy and its handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Makes a client. This may run a credential plugin, which blocks.
pub(super) fn client(config: &Config) -> Result<kube::Client, String> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    let http = any(http);
    let Some(proxy) = &config.proxy_url else { return through(http, config) };
    let login = login_of(proxy);
    match proxy.scheme_str() {
        Some("socks5") => through(any(socks(proxy, http, login)), config),
        Some("http") => through(any(tunnel(proxy, http, login)), config),
        // The API server's settings of TLS are those of the proxy too, as in Go.
        Some("https") => through(any(tunnel(proxy, any(secured(http, config)?), login)), config),
        _ => Err(format!(
            "its proxy {} is not one of http, https or socks5",
            super::proxy::shown(proxy)
        )),
    }
}

fn tunnel(proxy: &Uri, connector: Connector, login: Option<(String, String)>) -> Tunnel<Connector> {
    let tunnel = Tunnel::new(proxy.clone(), connector);
    let header = login.map(|(user, password)| STANDARD.encode(format!("{user}:{password}")));
    match header.and_then(|header| HeaderValue::try_from(format!("Basic {header}")).ok()) {
        Some(header) => tunnel.with_auth(header),
        None => tunnel,
    }
}

fn socks(proxy: &Uri, connector: Connector, login: Option<(String, String)>) -> SocksV5<Connector> {
    let socks = SocksV5::new(proxy.clone(), connector);
    match login {
        Some((user, password)) => socks.with_auth(user, password),
        None => socks,
    }
}

fn login_of(proxy: &Uri) -> Option<(String, String)> {
    let (login, _) = proxy.authority()?.as_str().rsplit_once('@')?;
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    Some((decode(user), decode(password)))
}

/// The client over what makes its connections.
fn through(connector: Connector, config: &Config) -> Result<kube::Client, String> {
    let mut connector = TimeoutConnector::new(secured(connector, config)?);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let http =
        hyper_util::client::legacy::Builder::new(TokioExecutor::new()).build::<_, Body>(connector);
    let auth = config.auth_layer().map_err(|error| describe(&error, config))?;
    let headers = config.extra_headers_layer().map_err(|error| describe(&error, config))?;
    let decompression =
        DecompressionLayer::new().no_br().no_deflate().no_zstd().gzip(!config.disable_compression);
    let client = ClientBuilder::new(http, config.default_namespace.clone())
        .with_layer(&tower_http::trace::TraceLayer::new_for_http())
        .with_layer(&headers)
        .with_layer(&MapErrLayer::new(BoxError::from))
        .with_layer(&tower::util::option_layer(auth))
        .with_layer(&decompression)
        .with_layer(&config.base_uri_layer());
    Ok(client.build())
}

fn secured(connector: Connector, config: &Config) -> Result<HttpsConnector<Connector>, String> {
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls(config)?).https_or_http();
    let builder = match &config.tls_server_name {
        None => builder,
        Some(name) => {
            let parsed = ServerName::try_from(name.clone()).map_err(|_| {
                format!("its tls-server-name {name:?} is not the name or address of a server")
            })?;
            builder.with_server_name_resolver(FixedServerNameResolver::new(parsed))
        }
    };
    Ok(builder.enable_http1().wrap_connector(connector))
}

fn tls(config: &Config) -> Result<ClientConfig, String> {
    let is_left_to_system = config.root_cert.is_none() && cfg!(target_os = "macos");
    // The authority of a pod is a file that changes; the library reads it again and again.
    if config.accept_invalid_certs || config.root_cert_file.is_some() || is_left_to_system {
        return config.rustls_client_config().map_err(|error| describe(&error, config));
    }
    let mut with_identity = config.clone();
    // The library verifies nothing then; what does is put in its place below.
    with_identity.root_cert = Some(Vec::new());
    let mut tls = with_identity.rustls_client_config().map_err(|error| describe(&error, config))?;
    let authorities = match &config.root_cert {
        Some(ders) => ders.iter().cloned().map(Into::into).collect(),
        None => rustls_native_certs::load_native_certs().certs,
    };
    tls.dangerous().set_certificate_verifier(Arc::new(Verifier::new(authorities)));
    Ok(tls)
}

fn describe(error: &kube::Error, config: &Config) -> String {
    credentials::describe_of_plugin(error, config.auth_info.exec.as_ref())
}
