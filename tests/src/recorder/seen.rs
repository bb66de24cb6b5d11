//! A request as the server saw it.

use crate::proxy::http::Request;

/// Headers that say as whom a request comes.
const OF_IDENTITY: &str = "impersonate-";

/// The way of a request and its credentials, whatever it asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// Name of the server.
    pub server: String,
    /// The path in front of what an API server has.
    pub prefix: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// Headers of an impersonation, sorted.
    pub impersonation: Vec<(String, String)>,
    /// Digest of the client certificate.
    pub client: Option<String>,
    /// Name in the greeting of TLS.
    pub sni: Option<String>,
    /// The proxy on the way and its header `Proxy-Authorization`, or the login of SOCKS.
    pub proxy: Option<(String, Option<String>)>,
    /// The namespace that it is about, if it is about one.
    pub namespace: Option<String>,
}

impl Seen {
    /// Takes what a request says by itself.
    pub(super) fn of(request: &Request) -> Self {
        let header = |wanted: &str| {
            request.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
        };
        let mut impersonation: Vec<_> = request
            .headers
            .iter()
            .filter(|(name, _)| name.starts_with(OF_IDENTITY))
            .cloned()
            .collect();
        impersonation.sort();
        let target = path_of(&request.target);
        let parts = ["/version", "/apis/", "/api/"];
        let end = parts.iter().filter_map(|part| target.rfind(part)).min();
        Self {
            server: String::new(),
            prefix: target[..end.unwrap_or(target.len())].to_owned(),
            authorization: header("authorization"),
            impersonation,
            client: None,
            sni: None,
            proxy: None,
            namespace: namespace_of_path(target).or_else(|| namespace_of_review(&request.body)),
        }
    }
}

/// A proxy's client names the whole URL.
fn path_of(target: &str) -> &str {
    let path = target.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    path.unwrap_or(target)
}

fn namespace_of_path(target: &str) -> Option<String> {
    let (_, rest) = target.split_once("/api/v1/namespaces/")?;
    Some(rest.split(['/', '?']).next().unwrap_or_default().to_owned())
}

/// The namespace of a `SelfSubjectAccessReview` in protobuf: the field in front of the verb `get`.
fn namespace_of_review(body: &[u8]) -> Option<String> {
    let verb = b"\x12\x03get";
    let end = body.windows(verb.len()).position(|window| window == verb)?;
    let start = (0..end).rev().find(|&start| {
        start >= 2 && body[start - 2] == b'\n' && usize::from(body[start - 1]) == end - start
    })?;
    String::from_utf8(body[start..end].to_vec()).ok()
}
