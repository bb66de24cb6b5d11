//! Ways to the API server of a cluster from the machine that the host runs on.

use serde::{Deserialize, Serialize};

/// Ways to the API server of a cluster, for when the address in its kubeconfig leads nowhere from
/// here: containers, for example, have addresses of a network that only their engine knows. Since
/// protocol 1.2.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Reach {
    /// Prints addresses of the API server, each as `HOST:PORT` on a line of its own; 0.0.0.0 and ::
    /// stand for the machine that has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Query>,
    /// Prints the URL of the machine that has these addresses, for example `ssh://me@builder`. A
    /// URL without a host, such as that of a socket, stands for this machine; so does its absence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<Query>,
    /// A name in the certificate of the API server, for addresses that are not in it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server_name: String,
}

/// A call of a program that changes nothing and prints an answer. The program is one of those that
/// the host knows, such as docker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Query {
    /// Name of the program, looked up in `PATH`.
    pub program: String,
    /// Arguments.
    pub arguments: Vec<String>,
}

impl Query {
    /// A call of a program with these arguments.
    pub fn new(program: &str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { program: program.to_owned(), arguments }
    }
}
