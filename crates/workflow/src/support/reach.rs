//! Ways to the API server of the target from this machine, for when the address in its kubeconfig
//! leads nowhere from here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use kubectl_pivot_plugin_api::Query;
use serde_json::{Value, json};
use support::yaml;
use tools::{KnownTool, ToolCommand};

use crate::context::StepContext;
use crate::error::StepError;

/// Limit of one query of a plugin.
const QUERY_TIMEOUT: Duration = Duration::from_secs(30);

/// An address of the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// `HOST:PORT`.
    address: String,
    /// A name in the certificate, if the host is not to be looked for in it.
    server_name: Option<String>,
}

/// Asks the plugin, and the programs that it names, for ways. The first ones are those that need no
/// other name in the certificate.
pub(crate) async fn ways(step_context: &StepContext<'_>) -> Result<Vec<Way>, StepError> {
    let reach = step_context.blueprint().reach()?;
    let Some(addresses) = &reach.addresses else { return Ok(Vec::new()) };
    let printed = ask(step_context, addresses).await?;
    let machine = match &reach.machine {
        Some(query) => host_of(ask(step_context, query).await?.trim()),
        None => None,
    };
    let plain = read(&printed, machine.as_deref());
    let name = Some(reach.server_name).filter(|name| !name.is_empty());
    let named = name.iter().flat_map(|name| {
        plain.iter().map(|way| Way { server_name: Some(name.clone()), ..way.clone() })
    });
    Ok(plain.iter().cloned().chain(named).collect())
}

async fn ask(step_context: &StepContext<'_>, query: &Query) -> Result<String, StepError> {
    let known = KnownTool::ALL.into_iter().find(|known| known.name() == query.program);
    let Some(known) = known else {
        return Err(StepError::refused(
            format!("the plugin wants to ask `{}`, which is not run", query.program),
            "get another version of the plugin",
        ));
    };
    let command = ToolCommand::new(&query.arguments).within(QUERY_TIMEOUT).keep_stdout();
    Ok(step_context.run(&step_context.tool(known).await?, command).await?.stdout)
}

/// The host of the URL of an engine; none if that is this machine.
fn host_of(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let host = uri.host()?.trim_matches(['[', ']']).to_owned();
    let is_here = host.is_empty()
        || host == "localhost"
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    (!is_here).then_some(host)
}

fn read(printed: &str, machine: Option<&str>) -> Vec<Way> {
    let mut ways = Vec::new();
    for line in printed.lines() {
        let Some(address) = from_here(line.trim(), machine) else { continue };
        let way = Way { address, server_name: None };
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways
}

/// An address as this machine sees it; none if it is of no use here.
fn from_here(address: &str, machine: Option<&str>) -> Option<String> {
    let (host, port) = address.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let host = host.trim_matches(['[', ']']);
    let host = match (host.parse::<IpAddr>(), machine) {
        (Ok(ip), Some(machine)) if ip.is_unspecified() => machine.to_owned(),
        (Ok(IpAddr::V4(ip)), None) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
        (Ok(IpAddr::V6(ip)), None) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.to_string(),
        // Only the other machine itself gets there.
        (Ok(ip), Some(_)) if ip.is_loopback() => return None,
        _ if host.is_empty() => return None,
        _ => host.to_owned(),
    };
    Some(match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    })
}

impl Way {
    /// Leads a kubeconfig this way: the cluster of its current context.
    ///
    /// # Errors
    /// It is not a kubeconfig.
    pub(crate) fn lead(&self, kubeconfig: &str) -> Result<String, StepError> {
        let problem = |why: String| {
            StepError::refused(
                format!("cannot read the kubeconfig of the target: {why}"),
                "name one that can be used with --to-kubeconfig FILE",
            )
        };
        let mut content =
            yaml::secret_document(kubeconfig).map_err(|error| problem(error.to_string()))?;
        let named = |list: &Value, name: &Value| {
            let mut items = list.as_array().into_iter().flatten();
            items.position(|item| &item["name"] == name)
        };
        let context = named(&content["contexts"], &content["current-context"]);
        let context = context.and_then(|at| content["contexts"].get(at));
        let cluster = context.map_or(Value::Null, |item| item["context"]["cluster"].clone());
        let at = named(&content["clusters"], &cluster)
            .ok_or_else(|| problem("its current context has no cluster".to_owned()))?;
        let fields = content["clusters"].get_mut(at).and_then(|item| item.get_mut("cluster"));
        let fields = fields.and_then(Value::as_object_mut);
        let fields = fields.ok_or_else(|| problem("its cluster has no fields".to_owned()))?;
        fields.insert("server".to_owned(), json!(self.to_string()));
        match &self.server_name {
            Some(name) => fields.insert("tls-server-name".to_owned(), json!(name)),
            None => fields.remove("tls-server-name"),
        };
        Ok(yaml::document(&content))
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "https://{}", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_of_an_engine_is_the_host_of_its_url() {
        for (url, host) in [
            ("unix:///var/run/docker.sock", None),
            ("unix:///Users/me/.colima/default/docker.sock", None),
            ("npipe:////./pipe/docker_engine", None),
            ("tcp://127.0.0.1:2375", None),
            ("tcp://[::1]:2375", None),
            ("", None),
            ("tcp://10.0.0.7:2376", Some("10.0.0.7")),
            ("ssh://me@builder", Some("builder")),
            ("tcp://[fd00::7]:2376", Some("fd00::7")),
        ] {
            assert_eq!(host_of(url).as_deref(), host, "{url}");
        }
    }

    #[test]
    fn addresses_are_those_that_this_machine_can_use() {
        let addresses = |printed: &str, machine: Option<&str>| -> Vec<String> {
            read(printed, machine).iter().map(ToString::to_string).collect()
        };
        let docker = "0.0.0.0:32768\n[::]:32768\n";
        assert_eq!(addresses(docker, None), ["https://127.0.0.1:32768", "https://[::1]:32768"]);
        assert_eq!(addresses(docker, Some("builder")), ["https://builder:32768"]);
        assert_eq!(addresses("127.0.0.1:5\n", Some("builder")), Vec::<String>::new());
        assert_eq!(addresses("10.1.2.3:5\n", Some("builder")), ["https://10.1.2.3:5"]);
        assert_eq!(addresses("\nError: x\n:5\na:b\n", None), Vec::<String>::new());
    }

    #[test]
    fn only_the_server_of_the_current_context_changes() {
        let kubeconfig = "apiVersion: v1\nclusters:\n\
            - {name: other, cluster: {server: 'https://other'}}\n\
            - name: pivot\n\
            \x20 cluster: {server: 'https://172.18.0.3:6443', certificate-authority-data: QQ==}\n\
            contexts: [{name: admin, context: {cluster: pivot, user: me}}]\n\
            current-context: admin\nusers: [{name: me, user: {token: '0123'}}]\n";
        let way = Way { address: "127.0.0.1:5".to_owned(), server_name: None };
        let named = Way { server_name: Some("kubernetes".to_owned()), ..way.clone() };
        let read = |text: String| yaml::secret_document(&text).expect("a kubeconfig");
        let led = read(named.lead(kubeconfig).expect("it has a cluster"));
        let expected = json!({"server": "https://127.0.0.1:5", "tls-server-name": "kubernetes",
            "certificate-authority-data": "QQ=="});
        assert_eq!(led["clusters"][1]["cluster"], expected);
        assert_eq!(led["clusters"][0]["cluster"]["server"], "https://other");
        assert_eq!(led["users"][0]["user"]["token"], "0123");
        let again = read(way.lead(&yaml::document(&led)).expect("it has a cluster"));
        assert_eq!(again["clusters"][1]["cluster"]["tls-server-name"], Value::Null);
        for wrong in ["", "a: b\n", "clusters: []\ncurrent-context: x\n"] {
            assert!(way.lead(wrong).is_err(), "{wrong}");
        }
    }
}
