//! The URL of an API server as client-go makes it of `server` (`rest/url_utils.go`).

use http::Uri;
use percent_encoding::percent_decode_str;

/// The place that requests go to.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) url: Uri,
    /// User and password in front of the host.
    pub(super) login: Option<(String, String)>,
}

impl Server {
    /// Reads `server`. Without a scheme it is a host that speaks plain HTTP.
    pub(super) fn parse(server: &str) -> Result<Self, String> {
        let (scheme, rest) = match split_scheme(server) {
            Some((scheme, rest)) => (scheme, rest),
            None => ("http".to_owned(), server),
        };
        let (authority, path) = split_path(rest);
        let is_bare_host = split_scheme(server).is_none();
        if !matches!(scheme.as_str(), "https" | "http") || (is_bare_host && path.len() > 1) {
            return Err(not_a_url(server));
        }
        let (login, host) = match authority.rsplit_once('@') {
            Some((login, host)) => (Some(decode_login(login)), host),
            None => (None, authority),
        };
        let url = format!("{scheme}://{host}{}", clean(path)).parse::<Uri>().ok();
        let url = url.filter(|url| url.host().is_some_and(|host| !host.is_empty()));
        url.map(|url| Self { url, login }).ok_or_else(|| not_a_url(server))
    }

    pub(super) fn is_tls(&self) -> bool {
        self.url.scheme_str() == Some("https")
    }
}

fn not_a_url(server: &str) -> String {
    // A login in it is nobody's business.
    let shown = server.rsplit_once('@').map_or(server, |(_, host)| host);
    format!("its server {shown:?} is not a URL; use a form such as https://127.0.0.1:6443")
}

/// The scheme in lower case and what is behind `://`, if there is a host behind it.
fn split_scheme(server: &str) -> Option<(String, &str)> {
    let (scheme, rest) = server.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (is_scheme && !split_path(rest).0.is_empty()).then(|| (scheme.to_ascii_lowercase(), rest))
}

/// The host and the path; a query and a fragment are left out.
fn split_path(rest: &str) -> (&str, &str) {
    let rest = rest.find(['?', '#']).map_or(rest, |end| &rest[..end]);
    rest.find('/').map_or((rest, ""), |at| rest.split_at(at))
}

/// A path without empty segments, `.` and `..`.
fn clean(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    format!("/{}", segments.join("/"))
}

fn decode_login(login: &str) -> (String, String) {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    (decode(user), decode(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_read_as_client_go_reads_it() {
        for (server, url) in [
            ("https://127.0.0.1:6443", "https://127.0.0.1:6443/"),
            ("HTTPS://a.example:6443/", "https://a.example:6443/"),
            ("https://a.example/k8s//clusters/./c-1/?a=b#c", "https://a.example/k8s/clusters/c-1"),
            ("127.0.0.1:6443", "http://127.0.0.1:6443/"),
            ("localhost:8080", "http://localhost:8080/"),
            ("https://[::1]:6443", "https://[::1]:6443/"),
            ("https://u:p%40@a.example", "https://a.example/"),
        ] {
            assert_eq!(Server::parse(server).expect(server).url.to_string(), url, "{server}");
        }
        for server in ["", "/api", "ftp://a.example", "https://", "localhost/api", "https://a b"] {
            let problem = Server::parse(server).expect_err(server);
            assert!(problem.contains("https://127.0.0.1:6443"), "{problem}");
        }
        let login = Server::parse("https://u:p%40@a.example").expect("a URL").login;
        assert_eq!(login, Some(("u".to_owned(), "p@".to_owned())));
    }
}
