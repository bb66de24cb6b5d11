//! Docker's engine: whether it answers, and what it is.

use std::time::Duration;

use serde_json::Value;
use tools::{Tool, ToolCommand, ToolError, Toolbox};

use super::diagnosis::HealthCheck;
use super::platform::Platform;

/// An engine that is busy may need its time.
const DOCKER_TIMEOUT: Duration = Duration::from_secs(30);

/// The answers of an engine, and of the client about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Engine {
    pub(super) version: String,
    pub(super) root: String,
    pub(super) memory: Option<u64>,
    pub(super) cgroup_version: String,
    pub(super) home: Home,
    /// The address at which the client reaches it, by DOCKER_HOST or the context in use.
    pub(super) endpoint: String,
}

/// The place where an engine and its containers run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Home {
    /// On this kernel, as root.
    #[default]
    Here,
    /// On this kernel, in the namespaces of a user.
    Rootless,
    /// In a virtual machine of this program, which mounts and publishes for its user.
    Machine(&'static str),
    /// On another machine.
    Remote,
    /// It is podman, which speaks Docker's language.
    Podman,
}

/// Asks the engine.
pub(super) async fn ask(docker: &Tool, toolbox: &Toolbox) -> Result<Engine, ToolError> {
    // Old clients end `docker info` well even if there is no engine; `docker version` never does.
    let question = |words: &[&str]| ToolCommand::new(words).within(DOCKER_TIMEOUT).keep_stdout();
    let version =
        docker.run(&question(&["version", "--format", "{{json .Server}}"]), toolbox).await?;
    let info = docker.run(&question(&["info", "--format", "{{json .}}"]), toolbox).await?;
    let endpoint = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"];
    // podman's client has no contexts.
    let endpoint = docker.run(&question(&endpoint), toolbox).await;
    let endpoint = endpoint.map(|output| output.stdout.trim().to_owned()).unwrap_or_default();
    let read_json = |text: &str| serde_json::from_str(text).unwrap_or_default();
    Ok(read(&read_json(&version.stdout), &read_json(&info.stdout), endpoint))
}

fn read(version: &Value, info: &Value, endpoint: String) -> Engine {
    let text = |field: &str| info[field].as_str().unwrap_or_default().to_owned();
    Engine {
        version: text("ServerVersion"),
        root: text("DockerRootDir"),
        memory: info["MemTotal"].as_u64().filter(|memory| *memory > 0),
        cgroup_version: text("CgroupVersion"),
        home: home(version, info, &endpoint),
        endpoint,
    }
}

/// Programs that run an engine in a virtual machine: a part of the system's name, of the machine's,
/// or of the path of the socket.
const MACHINES: [(&str, &str); 7] = [
    ("docker desktop", "Docker Desktop"),
    ("/.docker/desktop/", "Docker Desktop"),
    ("colima", "Colima"),
    ("rancher-desktop", "Rancher Desktop"),
    ("/.rd/", "Rancher Desktop"),
    ("orbstack", "OrbStack"),
    ("/.lima/", "Lima"),
];

fn home(version: &Value, info: &Value, endpoint: &str) -> Home {
    let components = version["Components"].as_array();
    let mut components = components.into_iter().flatten().filter_map(|part| part["Name"].as_str());
    if components.any(|name| name.contains("Podman")) {
        return Home::Podman;
    }
    let words = [info["OperatingSystem"].as_str(), info["Name"].as_str(), Some(endpoint)];
    let words = words.map(|word| word.unwrap_or_default().to_lowercase());
    let is_called = |part: &str| words.iter().any(|word| word.contains(part));
    if let Some((_, program)) = MACHINES.into_iter().find(|(part, _)| is_called(part)) {
        return Home::Machine(program);
    }
    if is_remote(endpoint) {
        return Home::Remote;
    }
    let options = info["SecurityOptions"].as_array();
    let mut options = options.into_iter().flatten().filter_map(Value::as_str);
    match options.any(|option| option.contains("rootless")) {
        true => Home::Rootless,
        false => Home::Here,
    }
}

fn is_remote(endpoint: &str) -> bool {
    let Some((scheme, rest)) = endpoint.split_once("://") else { return false };
    let is_here = ["localhost", "127.", "[::1]"].iter().any(|host| rest.starts_with(host));
    !is_here && matches!(scheme, "tcp" | "ssh" | "http" | "https")
}

pub(super) fn judge(engine: Option<&Result<Engine, ToolError>>, platform: Platform) -> HealthCheck {
    const NAME: &str = "docker-engine";
    let engine = match engine {
        None => {
            return HealthCheck::problem(
                NAME,
                "cannot be asked without the program docker",
                "install docker first, see above",
            );
        }
        Some(Err(error)) => {
            return HealthCheck::problem(NAME, error.to_string(), advice(error, platform));
        }
        Some(Ok(engine)) => engine,
    };
    let version = &engine.version;
    match engine.home {
        Home::Here => HealthCheck::good(NAME, format!("Docker {version} answers")),
        Home::Machine(program) => HealthCheck::good(
            NAME,
            format!("Docker {version} answers, in the virtual machine of {program}"),
        ),
        Home::Rootless => HealthCheck::warning(
            NAME,
            format!("Docker {version} runs without root"),
            "kind needs cgroup v2 and delegated controllers then; see \
             https://kind.sigs.k8s.io/docs/user/rootless/",
        ),
        Home::Remote => HealthCheck::warning(
            NAME,
            format!("Docker {version} runs on another machine, {}", engine.endpoint),
            "kind publishes API servers on that machine's 127.0.0.1 only: give a kind \
             configuration whose networking.apiServerAddress is an address that you reach \
             (--kind-config FILE)",
        ),
        Home::Podman => HealthCheck::warning(
            NAME,
            format!("it is podman {version}, not Docker"),
            "the Docker provider of Cluster API is made for Docker: use Docker, Colima or Docker \
             Desktop for the plugin docker; for other plugins KIND_EXPERIMENTAL_PROVIDER=podman \
             lets kind use podman",
        ),
    }
}

fn advice(error: &ToolError, platform: Platform) -> String {
    let text = error.to_string().to_lowercase();
    if text.contains("permission denied") {
        return "add your user to the group docker (`sudo usermod -aG docker $USER`) and log in \
                again"
            .to_owned();
    }
    if text.contains("did not end within") {
        return "the engine does not answer; restart it, then see that `docker version` ends"
            .to_owned();
    }
    let start = match platform {
        Platform::Linux => "start it (`sudo systemctl start docker`)",
        Platform::MacOs => "start Docker Desktop, `colima start`, or whatever runs Docker for you",
    };
    format!(
        "{start}, until `docker version` shows a server; DOCKER_HOST and `docker context` choose \
         which"
    )
}

#[cfg(test)]
mod tests {
    use std::io;

    use serde_json::json;

    use super::*;
    use crate::commands::doctor::diagnosis::Health;
    use tools::{Ending, KnownTool, ToolFailure};

    fn failure(ending: Ending, words: &str) -> ToolError {
        ToolError::Failed(Box::new(ToolFailure {
            tool: KnownTool::Docker,
            line: "docker version".to_owned(),
            ending,
            stderr_tail: vec![words.to_owned()],
            log: None,
        }))
    }

    #[test]
    fn reads_what_docker_says() {
        let info = json!({
            "ServerVersion": "28.2.2", "DockerRootDir": "/var/lib/docker", "MemTotal": 1024,
            "CgroupVersion": "2", "SecurityOptions": ["name=seccomp,profile=builtin",
                "name=rootless"],
        });
        let engine = read(&json!({}), &info, "unix:///run/user/1000/docker.sock".to_owned());
        assert_eq!(engine.home, Home::Rootless);
        assert_eq!((engine.memory, engine.cgroup_version.as_str()), (Some(1024), "2"));
        assert_eq!(read(&json!(null), &json!(null), String::new()), Engine::default());
    }

    #[test]
    fn the_home_of_an_engine_is_known() {
        let podman = json!({"Components": [{"Name": "Podman Engine"}]});
        for (version, info, endpoint, expected) in [
            (
                &json!({}),
                json!({"OperatingSystem": "Debian 12"}),
                "unix:///var/run/docker.sock",
                Home::Here,
            ),
            (
                &json!({}),
                json!({"OperatingSystem": "Docker Desktop"}),
                "",
                Home::Machine("Docker Desktop"),
            ),
            (
                &json!({}),
                json!({"OperatingSystem": "Ubuntu 24.04", "Name": "colima"}),
                "unix:///Users/me/.colima/default/docker.sock",
                Home::Machine("Colima"),
            ),
            (
                &json!({}),
                json!({}),
                "unix:///Users/me/.rd/docker.sock",
                Home::Machine("Rancher Desktop"),
            ),
            (
                &json!({}),
                json!({"Name": "lima-rancher-desktop"}),
                "",
                Home::Machine("Rancher Desktop"),
            ),
            (&json!({}), json!({}), "ssh://me@builder", Home::Remote),
            (&json!({}), json!({}), "tcp://127.0.0.1:2375", Home::Here),
            (&podman, json!({"OperatingSystem": "fedora"}), "", Home::Podman),
        ] {
            assert_eq!(home(version, &info, endpoint), expected, "{info} {endpoint}");
        }
    }

    #[test]
    fn the_advice_fits_the_home() {
        let judged = |home: Home| {
            let endpoint = "ssh://me@builder".to_owned();
            judge(Some(&Ok(Engine { home, endpoint, ..Engine::default() })), Platform::Linux)
        };
        assert_eq!(judged(Home::Machine("Colima")).health, Health::Good);
        for (home, expected) in [
            (Home::Rootless, "rootless"),
            (Home::Remote, "apiServerAddress"),
            (Home::Podman, "Colima"),
        ] {
            let fix = judged(home).fix.unwrap_or_default();
            assert!(fix.contains(expected), "{home:?}: {fix}");
        }
    }

    #[test]
    fn the_advice_fits_the_failure() {
        let denied = failure(Ending::Code(1), "permission denied while trying to connect");
        let stopped =
            failure(Ending::Code(1), "Cannot connect to the Docker daemon. Is it running?");
        let hangs = failure(Ending::TimedOut(DOCKER_TIMEOUT), "");
        let broken = failure(Ending::Io(io::Error::other("broken")), "");
        for (error, platform, expected) in [
            (&denied, Platform::Linux, "group docker"),
            (&stopped, Platform::Linux, "systemctl start docker"),
            (&stopped, Platform::MacOs, "Docker Desktop"),
            (&hangs, Platform::Linux, "does not answer"),
            (&broken, Platform::Linux, "docker version"),
        ] {
            let advice = advice(error, platform);
            assert!(advice.contains(expected), "{error}: {advice}");
        }
    }
}
