//! Errors of one request, in words that a user can act on.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use capi::ObjectId;
use support::visible;

use super::{credentials, hints};

/// The operation of a request, in errors and in the counts of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// Read one object or a non-resource path.
    Get,
    /// Read a collection, one request for each page.
    List,
    /// Follow the changes of a collection.
    Watch,
    /// Create an object.
    Create,
    /// Replace an object.
    Update,
    /// Change parts of an object, or apply it.
    Patch,
    /// Delete an object.
    Delete,
}

impl Verb {
    /// All verbs, in the order of reports.
    pub const ALL: [Self; 7] =
        [Self::Get, Self::List, Self::Watch, Self::Create, Self::Update, Self::Patch, Self::Delete];

    /// The verb as RBAC and reports spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The subject of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// One object.
    Object(ObjectId),
    /// All objects of a type, for example `machines.cluster.x-k8s.io`.
    Collection(String),
    /// Another path, for example `/readyz`.
    Path(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(id) => id.fmt(f),
            Self::Collection(text) | Self::Path(text) => f.write_str(text),
        }
    }
}

/// A request that failed for good, after the retries that were safe.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {subject} in the {cluster} cluster{}", self.address())]
pub struct ApiError {
    /// The cluster, for example `source`.
    pub cluster: String,
    /// The API server.
    pub endpoint: Box<Endpoint>,
    /// The operation.
    pub verb: Verb,
    /// On what.
    pub subject: Subject,
    /// The reason why it failed.
    #[source]
    pub cause: ApiErrorCause,
}

/// The API server of a request, as errors name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// URL of the API server.
    pub server: String,
    /// URL of the proxy on the way, empty if there is none.
    pub proxy: String,
    /// Flags of kubectl for this cluster, with a space behind each.
    pub flags: String,
}

/// The reason why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiErrorCause {
    /// The API server answered with an error status.
    #[error("{message} (HTTP {code}{})",
        if reason.is_empty() { String::new() } else { format!(", {reason}") })]
    Status {
        /// HTTP status code.
        code: u16,
        /// Machine-readable reason, for example `AlreadyExists`.
        reason: String,
        /// The server's message.
        message: String,
    },
    /// No answer in time; the request may or may not have been carried out.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The connection could not be made; the request was not carried out.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The connection broke; the request may or may not have been carried out.
    #[error("the connection broke before the answer: {0}")]
    Broken(String),
    /// Credentials could not be obtained; the request was not sent.
    #[error("cannot get credentials: {0}")]
    Credentials(String),
    /// The lock of the run is lost; the request was not sent, or its answer was not waited for.
    #[error("this run lost its lock")]
    LockLost,
    /// The answer is not what an API server sends.
    #[error("the answer is not JSON of the Kubernetes API: {0}")]
    Malformed(String),
    /// The answer is longer than any that this program reads.
    #[error("the answer is too long: more than {} MiB", limit >> 20)]
    TooLong {
        /// The most bytes that are read.
        limit: usize,
    },
}

impl ApiErrorCause {
    /// A field of what was to be applied has another type than its kind says. API servers call this
    /// an internal error (500), and it comes every time.
    pub(super) fn is_of_wrong_type(&self) -> bool {
        matches!(self, Self::Status { message, .. }
            if message.contains("failed to create typed patch object"))
    }

    /// A webhook refuses the request, or could not be asked.
    fn is_refused_by_webhook(&self) -> bool {
        matches!(self, Self::Status { message, .. }
            if REFUSED_BY_WEBHOOK.iter().any(|words| message.contains(words)))
    }

    /// A policy refuses the request.
    fn is_refused_by_policy(&self) -> bool {
        matches!(self, Self::Status { message, .. }
            if REFUSED_BY_POLICY.iter().all(|words| message.contains(words)))
    }

    /// The webhook that converts between the versions of a kind did not do so.
    fn is_of_conversion(&self) -> bool {
        matches!(self, Self::Status { message, .. } if message.contains(NOT_CONVERTED))
    }
}

/// The kind of policy that API servers evaluate themselves.
const POLICY: &str = "ValidatingAdmissionPolicy";

/// Start of the message of an API server that a webhook refuses a request, or cannot be asked
/// (`k8s.io/apiserver/pkg/admission/plugin/webhook`).
const REFUSED_BY_WEBHOOK: [&str; 2] = ["admission webhook \"", "failed calling webhook \""];

/// Parts of its message that a policy refuses a request: the name, then the binding
/// (`k8s.io/apiserver/pkg/admission/plugin/policy/validating`).
const REFUSED_BY_POLICY: [&str; 2] = ["ValidatingAdmissionPolicy '", "' with binding '"];

/// Part of the message of an API server that the webhook of a CRD could not convert an object.
const NOT_CONVERTED: &str = "conversion webhook for ";

impl ApiError {
    /// Returns the address of the API server, in errors that are about the connection to it.
    fn address(&self) -> String {
        let is_of_connection = self.is_unreachable() || self.code() == Some(401);
        match (self.endpoint.server.as_str(), self.endpoint.proxy.as_str()) {
            ("", _) => String::new(),
            _ if !is_of_connection => String::new(),
            (server, "") => format!(" at {server}"),
            (server, proxy) => format!(" at {server} through the proxy {proxy}"),
        }
    }

    /// The HTTP status, if the API server answered.
    pub fn code(&self) -> Option<u16> {
        match self.cause {
            ApiErrorCause::Status { code, .. } => Some(code),
            _ => None,
        }
    }

    /// The object or type does not exist.
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Admission or the schema does not let the object in.
    pub fn is_refused(&self) -> bool {
        matches!(self.code(), Some(400 | 403 | 422))
    }

    /// The permission is missing.
    pub fn is_forbidden(&self) -> bool {
        self.code() == Some(403)
    }

    /// An object of this name exists already.
    pub fn is_already_exists(&self) -> bool {
        matches!(&self.cause, ApiErrorCause::Status { code: 409, reason, .. }
            if reason == "AlreadyExists")
    }

    /// A precondition (uid, resourceVersion) did not hold.
    pub fn is_conflict(&self) -> bool {
        self.code() == Some(409) && !self.is_already_exists()
    }

    /// A page token has expired; the list has to start again.
    pub fn is_expired(&self) -> bool {
        self.code() == Some(410)
    }

    /// The object is not as its kind wants it.
    pub fn is_invalid(&self) -> bool {
        self.cause.is_of_wrong_type()
            || (matches!(self.code(), Some(400 | 422)) && !self.is_refused_by_admission())
    }

    /// A webhook or a policy of the cluster does not let the request pass.
    pub fn is_refused_by_admission(&self) -> bool {
        self.cause.is_refused_by_webhook() || self.cause.is_refused_by_policy()
    }

    /// Returns whether the request may have been carried out although it failed.
    pub fn is_ambiguous(&self) -> bool {
        match self.cause {
            ApiErrorCause::Timeout(_)
            | ApiErrorCause::Broken(_)
            | ApiErrorCause::Malformed(_)
            | ApiErrorCause::TooLong { .. } => true,
            ApiErrorCause::Status { code, .. } => matches!(code, 500 | 502 | 503 | 504),
            ApiErrorCause::Connect(_) | ApiErrorCause::Credentials(_) | ApiErrorCause::LockLost => {
                false
            }
        }
    }

    /// The lock of the run is lost.
    pub fn is_lock_lost(&self) -> bool {
        matches!(self.cause, ApiErrorCause::LockLost)
    }

    /// The API server could not be reached or used at all.
    pub fn is_unreachable(&self) -> bool {
        !matches!(
            self.cause,
            ApiErrorCause::Status { .. }
                | ApiErrorCause::Malformed(_)
                | ApiErrorCause::TooLong { .. }
                | ApiErrorCause::LockLost
        )
    }

    /// Returns what the user can do about it.
    pub fn hint(&self) -> String {
        match &self.cause {
            ApiErrorCause::Status { code: 401, .. } | ApiErrorCause::Credentials(_) => format!(
                "check the credentials of the {} cluster's kubeconfig (user, token, exec plugin)",
                self.cluster
            ),
            // A refusal by a webhook or a policy comes as 403 or 422, and is about neither.
            cause if cause.is_refused_by_webhook() || cause.is_of_conversion() => format!(
                "look at the webhook named above in the {} cluster: check that its controller \
                 runs, and why it refuses",
                self.cluster
            ),
            cause if cause.is_refused_by_policy() => format!(
                "the {POLICY} named above in the {} cluster refuses this; change the policy or its \
                 binding",
                self.cluster
            ),
            ApiErrorCause::Status { code: 400, message, .. }
                if message.contains(hints::PLAIN_TO_TLS) =>
            {
                self.hint_of_scheme()
            }
            ApiErrorCause::Status { code: 403, message, .. }
                if message.contains("exceeded quota") =>
            {
                format!(
                    "raise the ResourceQuota named above in the {} cluster, or delete what uses it \
                     up",
                    self.cluster
                )
            }
            ApiErrorCause::Status { code: 403, .. } => format!(
                "grant the user of the {} cluster's kubeconfig the verb `{}` (`kubectl pivot rbac` \
                 prints roles); `kubectl auth can-i {} ...` checks it",
                self.cluster, self.verb, self.verb
            ),
            ApiErrorCause::Status { reason, .. } if reason == "Invalid" => {
                format!(
                    "compare the CRD and webhook versions of both clusters: the {} cluster refuses \
                     this object",
                    self.cluster
                )
            }
            ApiErrorCause::Status { .. } => {
                format!(
                    "check the object, and the logs of the API server of the {} cluster",
                    self.cluster
                )
            }
            ApiErrorCause::Malformed(_) | ApiErrorCause::TooLong { .. } => format!(
                "find out what answers in place of the {} cluster's API server: check the `server` \
                 of its kubeconfig, a proxy (HTTPS_PROXY), a login page",
                self.cluster
            ),
            ApiErrorCause::LockLost => {
                "`kubectl pivot status` shows who has the lock and how far the run is".to_owned()
            }
            ApiErrorCause::Connect(problem) | ApiErrorCause::Broken(problem) => {
                self.hint_of_connection(problem)
            }
            ApiErrorCause::Timeout(_) => self.hint_of_connection(""),
        }
    }
}

/// Sorts a client error by whether the request can have reached the API server.
pub(super) fn classify(error: &kube::Error) -> ApiErrorCause {
    if credentials::auth_error(error).is_some() {
        return ApiErrorCause::Credentials(credentials::describe(error));
    }
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = source {
        if let Some(hyper) = current.downcast_ref::<hyper_util::client::legacy::Error>()
            && hyper.is_connect()
        {
            return ApiErrorCause::Connect(root_cause(current));
        }
        source = current.source();
    }
    ApiErrorCause::Broken(root_cause(error))
}

fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut current: &(dyn StdError + 'static) = error;
    while let Some(source) = current.source() {
        current = source;
    }
    // The number of an error of the operating system helps nobody.
    let text = current.to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    visible::one_line(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, message: &str) -> ApiError {
        ApiError {
            cluster: "source".to_owned(),
            endpoint: Box::default(),
            verb: Verb::Delete,
            subject: Subject::Path("/".to_owned()),
            cause: ApiErrorCause::Status {
                code,
                reason: String::new(),
                message: message.to_owned(),
            },
        }
    }

    #[test]
    fn admission_refuses_in_the_words_of_the_api_server() {
        for message in [
            "admission webhook \"a.example.org\" denied the request: not now",
            "Internal error occurred: failed calling webhook \"a.example.org\": failed to call \
             webhook: EOF",
            "configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied \
             request: no",
        ] {
            assert!(refused(500, message).is_refused_by_admission(), "{message}");
        }
    }

    #[test]
    fn a_message_that_mentions_a_webhook_is_no_refusal_by_admission() {
        for (code, message) in [
            (
                403,
                "validatingwebhookconfigurations.admissionregistration.k8s.io is forbidden: User \
                 \"u\" cannot list",
            ),
            (422, "Thing.g.io \"a\" is invalid: spec.webhook: Required value"),
            (
                403,
                "validatingadmissionpolicies \"a\" is forbidden: ValidatingAdmissionPolicy is not \
                 for you",
            ),
        ] {
            assert!(!refused(code, message).is_refused_by_admission(), "{message}");
            assert!(!refused(code, message).hint().contains("named above"), "{message}");
        }
        assert!(refused(422, "spec.webhook: Required value").is_invalid());
    }
}
