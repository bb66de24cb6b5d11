//! The proxy that the environment names for an address, by the rules of Go
//! (`golang.org/x/net/http/httpproxy`), so that this program goes the ways of kubectl and
//! clusterctl.

use std::env;
use std::net::IpAddr;

use http::Uri;

/// The variables of proxies.
#[derive(Clone, Debug, Default)]
pub struct ProxyVariables {
    https: Option<String>,
    http: Option<String>,
    none: Option<String>,
}

impl ProxyVariables {
    /// Those of this process; upper case comes first, and an empty one counts as absent.
    pub fn of_process() -> Self {
        let any = |names: [&str; 2]| {
            names.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
        };
        Self {
            https: any(["HTTPS_PROXY", "https_proxy"]),
            http: any(["HTTP_PROXY", "http_proxy"]),
            none: any(["NO_PROXY", "no_proxy"]),
        }
    }

    /// The proxy for an address. One that cannot be read is none, as in Go.
    pub fn proxy_for(&self, url: &Uri) -> Option<Uri> {
        let (proxy, default_port) = match url.scheme_str()? {
            "https" => (self.https.as_deref()?, 443),
            "http" => (self.http.as_deref()?, 80),
            _ => return None,
        };
        let host = url.host()?.trim_start_matches('[').trim_end_matches(']').to_lowercase();
        let port = url.port_u16().unwrap_or(default_port).to_string();
        if self.is_direct(&host, &port) { None } else { parse(proxy) }
    }

    fn is_direct(&self, host: &str, port: &str) -> bool {
        let address = host.parse::<IpAddr>().ok();
        if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
            return true;
        }
        let elements = self.none.iter().flat_map(|list| list.split(','));
        elements
            .map(|element| element.trim().to_lowercase())
            .any(|element| element == "*" || is_match(&element, (host, address), port))
    }
}

/// Returns true if an element of `NO_PROXY` is about an address. An odd element is about none.
fn is_match(element: &str, (host, address): (&str, Option<IpAddr>), port: &str) -> bool {
    if let Some((network, bits)) = element.split_once('/')
        && let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>())
    {
        return address.is_some_and(|address| is_in(address, network, bits));
    }
    let (name, wanted) = split_port(element);
    if name.is_empty() || wanted.is_some_and(|wanted| wanted != port) {
        return false;
    }
    if let Ok(name) = name.parse::<IpAddr>() {
        return address.is_some_and(|address| address.to_canonical() == name.to_canonical());
    }
    let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    match name.strip_prefix('.') {
        Some(_) => host.ends_with(name),
        None => host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
    }
}

/// A host and maybe a port; an address of IPv6 has its port behind brackets.
fn split_port(element: &str) -> (&str, Option<&str>) {
    if let Some(rest) = element.strip_prefix('[') {
        return match rest.split_once(']') {
            Some((name, "")) => (name, None),
            Some((name, port)) => (name, port.strip_prefix(':')),
            None => (element, None),
        };
    }
    match element.split_once(':') {
        Some((name, port)) if !port.contains(':') => {
            (name, Some(port).filter(|port| !port.is_empty()))
        }
        _ => (element, None),
    }
}

fn is_in(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let as_bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let ((address, width), (network, of_network)) =
        (as_bits(address.to_canonical()), as_bits(network));
    if width != of_network || bits > width {
        return false;
    }
    let shift = width - bits;
    shift == 128 || (address >> shift) == (network >> shift)
}

/// Reads `proxy-url` of a kubeconfig, which needs a scheme (`k8s.io/client-go/tools/clientcmd`).
pub(super) fn own(proxy: &str) -> Result<Uri, String> {
    let scheme = proxy.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https" | "socks5")) {
        return Err("its proxy-url is not a URL of http, https or socks5".to_owned());
    }
    parse(proxy).ok_or_else(|| "its proxy-url is not a URL".to_owned())
}

/// A proxy without a scheme is one of HTTP. SOCKS leaves names to the proxy in both spellings.
fn parse(proxy: &str) -> Option<Uri> {
    let has_host = |uri: &Uri| uri.host().is_some_and(|host| !host.is_empty());
    let has_scheme = |uri: &Uri| uri.scheme().is_some() && has_host(uri);
    let parsed = proxy.parse::<Uri>().ok().filter(has_scheme);
    let parsed = parsed.or_else(|| format!("http://{proxy}").parse().ok().filter(has_scheme))?;
    match parsed.scheme_str() {
        Some("socks5" | "socks5h") => socks(&parsed),
        _ => Some(parsed),
    }
}

/// A proxy of SOCKS with its port, for which the library has none of its own.
fn socks(proxy: &Uri) -> Option<Uri> {
    let authority = proxy.authority()?.as_str();
    let port = if proxy.port().is_none() { ":1080" } else { "" };
    format!("socks5://{authority}{port}").parse().ok()
}

/// A proxy as messages name it: without its login.
pub(super) fn shown(proxy: &Uri) -> String {
    let authority = proxy.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{}://{host}", proxy.scheme_str().unwrap_or("http"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(none: &str, url: &str) -> bool {
        let variables = ProxyVariables {
            https: Some("http://proxy.invalid:3128".to_owned()),
            http: None,
            none: Some(none.to_owned()),
        };
        variables.proxy_for(&url.parse().expect("a URL")).is_some()
    }

    /// The answers are those of `golang.org/x/net/http/httpproxy`.
    #[test]
    fn no_proxy_is_read_as_go_reads_it() {
        for (none, url, is_proxied) in [
            ("", "https://api.example.org:6443", true),
            ("", "https://127.0.0.1:6443", false),
            ("", "https://[::1]:6443", false),
            ("", "https://localhost:6443", false),
            ("", "https://localhost.example.org", true),
            ("*", "https://api.example.org", false),
            ("a.org, *", "https://api.example.org", false),
            ("example.org", "https://example.org", false),
            ("example.org", "https://api.EXAMPLE.org", false),
            ("example.org", "https://notexample.org", true),
            (".example.org", "https://api.example.org", false),
            (".example.org", "https://example.org", true),
            ("*.example.org", "https://api.example.org", false),
            ("*.example.org", "https://example.org", true),
            ("example.org:6443", "https://api.example.org:6443", false),
            ("example.org:6443", "https://api.example.org", true),
            ("example.org:443", "https://api.example.org", false),
            ("10.0.0.0/8", "https://10.1.2.3:6443", false),
            ("10.0.0.0/8", "https://11.1.2.3:6443", true),
            ("0.0.0.0/0", "https://11.1.2.3:6443", false),
            ("10.1.2.3", "https://10.1.2.3:6443", false),
            ("10.1.2.3:6443", "https://10.1.2.3:6443", false),
            ("10.1.2.3:80", "https://10.1.2.3:6443", true),
            ("fd00::/8", "https://[fd00::1]:6443", false),
            ("[fd00::1]:6443", "https://[fd00::1]:6443", false),
            ("fd00::1", "https://[fd00::1]:6443", false),
            ("10.0.0.0/8", "https://[fd00::1]:6443", true),
            (",, ,:80,10.0.0.0/99,example.org,", "https://example.org", false),
            (",, ,:80,10.0.0.0/99", "https://10.1.2.3", true),
        ] {
            assert_eq!(of(none, url), is_proxied, "NO_PROXY={none} {url}");
        }
    }

    #[test]
    fn a_proxy_without_a_scheme_is_one_of_http_and_the_scheme_of_the_address_decides() {
        let variables = ProxyVariables {
            https: Some("proxy.invalid:3128".to_owned()),
            http: Some("socks5h://socks.invalid:1080".to_owned()),
            none: None,
        };
        let of = |url: &str| {
            variables.proxy_for(&url.parse().expect("a URL")).map(|proxy| proxy.to_string())
        };
        assert_eq!(of("https://a.invalid").as_deref(), Some("http://proxy.invalid:3128/"));
        assert_eq!(of("http://a.invalid").as_deref(), Some("socks5://socks.invalid:1080/"));
        assert_eq!(parse("://"), None);
    }
}
