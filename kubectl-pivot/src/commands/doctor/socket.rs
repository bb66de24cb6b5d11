//! The socket of Docker that the Docker provider needs in the bootstrap cluster.

use std::path::Path;

use super::diagnosis::HealthCheck;
use super::docker::{Engine, Home};

const NAME: &str = "docker-socket";
/// The place where engines have it, and where the plugin docker mounts it from.
const SOCKET: &str = "/var/run/docker.sock";

/// Says which socket a node can mount: paths of mounts are those of the machine with the engine.
pub(super) fn judge(engine: Option<&Engine>) -> HealthCheck {
    let Some(engine) = engine else {
        return HealthCheck::not_applicable(NAME, "only Docker's engine can tell, see above");
    };
    match engine.home {
        Home::Machine(program) => HealthCheck::good(
            NAME,
            format!(
                "{SOCKET} in the virtual machine of {program} is mounted, whatever your client uses"
            ),
        ),
        Home::Remote => {
            HealthCheck::good(NAME, format!("{SOCKET} of the other machine is mounted"))
        }
        Home::Here | Home::Rootless | Home::Podman => judge_path(path(&engine.endpoint)),
    }
}

fn path(endpoint: &str) -> &str {
    endpoint.strip_prefix("unix://").unwrap_or(SOCKET)
}

fn judge_path(socket: &str) -> HealthCheck {
    if !Path::new(socket).exists() {
        let fix = "name the right one with --set docker-socket=PATH when you create a cluster with \
                   the plugin docker; other plugins do not need it";
        return HealthCheck::warning(NAME, format!("{socket} does not exist"), fix);
    }
    if socket == SOCKET {
        return HealthCheck::good(NAME, format!("{SOCKET} is there"));
    }
    let fix = format!("give --set docker-socket={socket} when you create a cluster");
    HealthCheck::warning(NAME, format!("Docker's socket is {socket}"), fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::diagnosis::Health;

    fn judged(home: Home, endpoint: &str) -> HealthCheck {
        judge(Some(&Engine { home, endpoint: endpoint.to_owned(), ..Engine::default() }))
    }

    #[test]
    fn sockets_elsewhere_on_this_machine_are_named() {
        let dir = tempfile::tempdir().expect("temp dir");
        let elsewhere = format!("unix://{}", dir.path().display());
        for home in [Home::Here, Home::Rootless] {
            let check = judged(home, &elsewhere);
            assert_eq!(check.health, Health::Warning);
            let fix = check.fix.unwrap_or_default();
            assert!(fix.contains(&format!("docker-socket={}", dir.path().display())), "{fix}");
        }
        assert_eq!(judged(Home::Here, "unix:///no/such/docker.sock").health, Health::Warning);
        assert_eq!(judge(None).health, Health::NotApplicable);
    }

    /// Mounts are resolved in the virtual machine, where the path of the client's socket means
    /// nothing.
    #[test]
    fn the_socket_of_a_virtual_machine_is_where_it_always_is() {
        let check = judged(Home::Machine("Colima"), "unix:///Users/me/.colima/default/docker.sock");
        assert_eq!((check.health, check.fix), (Health::Good, None));
        assert_eq!(judged(Home::Remote, "ssh://me@builder").health, Health::Good);
    }
}
