//! A manager that ignores every pause, like that of a provider which is older than the pause, or
//! has a bug.
//!
//! It gives each DockerMachine that it finds its finalizer, and destroys the machine behind one
//! that is in deletion; both go to its output. With `--leader-elect` it elects a leader as
//! client-go does: a leader that has lost its Lease works on for a while before it ends.
//! `--webhook-port=PORT` answers connections, leader or not.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use capi::{Object, ResourceType};
use cluster::{Client, KubeconfigRef, PatchKind, WriteOptions};
use kubectl_pivot_tests::population::shapes::DOCKER;
use serde_json::json;

/// The finalizer of this manager.
const FINALIZER: &str = "ignorant.example.com";
/// The Lease by which it elects a leader, in the namespace of its pod.
const LEASE: &str = "ignorant-leader";
const LEASE_SECONDS: u64 = 15;
const RENEW_DEADLINE: Duration = Duration::from_secs(5);
const INTERVAL: Duration = Duration::from_millis(100);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let flags: BTreeMap<&str, &str> =
        args.iter().map(|arg| arg.split_once('=').unwrap_or((arg, ""))).collect();
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, flags["--webhook-port"].parse()?))?;
    std::thread::spawn(move || port.incoming().for_each(drop));
    let kubeconfig = KubeconfigRef::file(Path::new(flags["--kubeconfig"]));
    let client = Client::connect("managed", &kubeconfig).await?;
    let mut election = flags.contains_key("--leader-elect").then(Election::new).transpose()?;
    loop {
        let leads = match &mut election {
            None => true,
            Some(election) => election.leads(&client).await?,
        };
        if leads {
            work(&client).await?;
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn work(client: &Client) -> Result<(), Box<dyn Error>> {
    let kind = ResourceType::new(DOCKER, "DockerMachine", "dockermachines", true);
    for machine in client.list(&kind, None).await? {
        let mut finalizers: Vec<String> =
            machine.finalizers().iter().map(ToString::to_string).collect();
        let has_its = finalizers.iter().any(|known| known == FINALIZER);
        let acts = if machine.is_being_deleted() {
            finalizers.retain(|known| known != FINALIZER);
            has_its.then_some("destroys")
        } else {
            finalizers.push(FINALIZER.to_owned());
            (!has_its).then_some("keeps")
        };
        let Some(act) = acts else { continue };
        let patch = json!({"metadata": {"uid": machine.uid(), "finalizers": finalizers,
            "resourceVersion": machine.resource_version()}});
        let place = (machine.namespace(), machine.name());
        let patch = (PatchKind::Merge, &patch);
        if client.patch(&kind, place, patch, &WriteOptions::manager("ignorant")).await.is_ok() {
            let mut stdout = std::io::stdout();
            writeln!(stdout, "{act} {}", machine.id())?;
            stdout.flush()?;
        }
    }
    Ok(())
}

/// The election of a leader, by the rules of client-go.
struct Election {
    identity: String,
    namespace: String,
    /// The Lease as it was last seen to change, and when.
    seen: Option<(String, Instant)>,
    renewed: Option<Instant>,
}

impl Election {
    fn new() -> Result<Self, Box<dyn Error>> {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
        let identity = format!("{}_{}", host.trim(), std::process::id());
        let namespace = std::env::var("POD_NAMESPACE")?;
        Ok(Self { identity, namespace, seen: None, renewed: None })
    }

    /// Tries to get or renew the Lease, and returns whether it works as the leader.
    async fn leads(&mut self, client: &Client) -> Result<bool, Box<dyn Error>> {
        if self.try_to_lead(client).await? {
            self.renewed = Some(Instant::now());
        }
        match self.renewed {
            Some(renewed) if renewed.elapsed() > RENEW_DEADLINE => {
                Err("leader election lost".into())
            }
            renewed => Ok(renewed.is_some()),
        }
    }

    async fn try_to_lead(&mut self, client: &Client) -> Result<bool, Box<dyn Error>> {
        let kind = ResourceType::new("coordination.k8s.io/v1", "Lease", "leases", true);
        let now =
            std::process::Command::new("date").args(["-u", "+%FT%T.000000Z"]).output()?.stdout;
        let now = String::from_utf8(now)?.trim().to_owned();
        let spec = json!({"holderIdentity": self.identity, "leaseDurationSeconds": LEASE_SECONDS,
            "acquireTime": now, "renewTime": now});
        let options = WriteOptions::manager("ignorant");
        let Some(mut lease) = client.get(&kind, Some(&self.namespace), LEASE).await? else {
            let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": {"name": LEASE, "namespace": self.namespace}, "spec": spec});
            return Ok(client.create(&kind, &Object::new(lease), &options).await.is_ok());
        };
        let version = lease.resource_version().to_owned();
        if self.seen.as_ref().is_none_or(|(seen, _)| *seen != version) {
            self.seen = Some((version, Instant::now()));
        }
        let since = self.seen.as_ref().map(|(_, since)| since.elapsed()).unwrap_or_default();
        let holder = lease.value()["spec"]["holderIdentity"].as_str().unwrap_or_default();
        let lasts = lease.value()["spec"]["leaseDurationSeconds"].as_u64().unwrap_or(LEASE_SECONDS);
        let is_others = !holder.is_empty() && holder != self.identity;
        if is_others && since < Duration::from_secs(lasts) {
            return Ok(false);
        }
        lease.value_mut()["spec"] = spec;
        Ok(client.update(&kind, &lease, &options).await.is_ok())
    }
}
