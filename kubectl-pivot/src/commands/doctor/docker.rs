//! Docker's engine.

use std::env;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tools::{Tool, ToolCommand, ToolError, Toolbox};

use super::diagnosis::HealthCheck;
use super::platform::Platform;

/// An engine that is busy may need its time.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The socket that the Docker provider needs in the bootstrap cluster.
const SOCKET: &str = "/var/run/docker.sock";

/// The answer of `docker info`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Engine {
    pub(super) version: String,
    pub(super) root: String,
    pub(super) memory: Option<u64>,
    pub(super) cgroup_version: String,
    pub(super) is_rootless: bool,
}

/// Asks the engine.
pub(super) async fn ask(docker: &Tool, toolbox: &Toolbox) -> Result<Engine, ToolError> {
    // Old clients end `docker info` well even if there is no engine; `docker version` never does.
    let question = |words: &[&str]| ToolCommand::new(words).within(TIMEOUT).keep_stdout();
    docker.run(&question(&["version", "--format", "{{.Server.Version}}"]), toolbox).await?;
    let info = docker.run(&question(&["info", "--format", "{{json .}}"]), toolbox).await?;
    Ok(read(&serde_json::from_str(&info.stdout).unwrap_or_default()))
}

fn read(info: &Value) -> Engine {
    let text = |field: &str| info[field].as_str().unwrap_or_default().to_owned();
    let options = info["SecurityOptions"].as_array();
    let mut options = options.into_iter().flatten().filter_map(Value::as_str);
    Engine {
        version: text("ServerVersion"),
        root: text("DockerRootDir"),
        memory: info["MemTotal"].as_u64().filter(|memory| *memory > 0),
        cgroup_version: text("CgroupVersion"),
        is_rootless: options.any(|option| option.contains("rootless")),
    }
}

pub(super) fn judge(
    engine: Option<&Result<Engine, ToolError>>,
    platform: Platform,
) -> [HealthCheck; 2] {
    [judge_engine(engine, platform), judge_socket(env::var("DOCKER_HOST").ok().as_deref())]
}

fn judge_engine(engine: Option<&Result<Engine, ToolError>>, platform: Platform) -> HealthCheck {
    const NAME: &str = "docker-engine";
    match engine {
        None => HealthCheck::problem(
            NAME,
            "cannot be asked without the program docker",
            "install docker first, see above",
        ),
        Some(Err(error)) => HealthCheck::problem(NAME, error.to_string(), advice(error, platform)),
        Some(Ok(engine)) if engine.is_rootless => HealthCheck::warning(
            NAME,
            format!("Docker {} runs without root", engine.version),
            "kind needs cgroup v2 and delegated controllers then; see \
             https://kind.sigs.k8s.io/docs/user/rootless/",
        ),
        Some(Ok(engine)) => HealthCheck::good(NAME, format!("Docker {} answers", engine.version)),
    }
}

fn advice(error: &ToolError, platform: Platform) -> String {
    let text = error.to_string().to_lowercase();
    if text.contains("permission denied") {
        return "add your user to the group docker (`sudo usermod -aG docker $USER`) and log in again"
            .to_owned();
    }
    if text.contains("did not end within") {
        return "the engine does not answer; restart it, then see that `docker version` ends"
            .to_owned();
    }
    let start = match platform {
        Platform::Linux => "start it (`sudo systemctl start docker`)",
        Platform::MacOs => "start Docker Desktop, or whatever runs Docker for you",
    };
    format!(
        "{start}, until `docker version` shows a server; DOCKER_HOST and `docker context` choose which"
    )
}

fn judge_socket(docker_host: Option<&str>) -> HealthCheck {
    const NAME: &str = "docker-socket";
    let socket = match docker_host {
        None | Some("") => SOCKET,
        Some(host) => match host.strip_prefix("unix://") {
            Some(path) => path,
            None => {
                return HealthCheck::warning(
                    NAME,
                    format!("DOCKER_HOST is {host}, not a socket on this machine"),
                    format!(
                        "the machine with the engine must have {SOCKET}, which is mounted there"
                    ),
                );
            }
        },
    };
    if !Path::new(socket).exists() {
        let fix = "name the right one with --set docker-socket=PATH when you create a cluster with \
                   the plugin docker; other plugins do not need it";
        return HealthCheck::warning(NAME, format!("{socket} does not exist"), fix);
    }
    if socket == SOCKET {
        return HealthCheck::good(NAME, format!("{SOCKET} is there"));
    }
    let fix = format!("give --set docker-socket={socket} when you create a cluster");
    HealthCheck::warning(NAME, format!("Docker's socket is {socket}, by DOCKER_HOST"), fix)
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
        let engine = read(&json!({
            "ServerVersion": "28.2.2", "DockerRootDir": "/var/lib/docker", "MemTotal": 1024,
            "CgroupVersion": "2", "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"],
        }));
        assert!(engine.is_rootless);
        assert_eq!((engine.memory, engine.cgroup_version.as_str()), (Some(1024), "2"));
        assert_eq!(read(&json!(null)), Engine::default());
    }

    #[test]
    fn the_advice_fits_the_failure() {
        let denied = failure(Ending::Code(1), "permission denied while trying to connect");
        let stopped =
            failure(Ending::Code(1), "Cannot connect to the Docker daemon. Is it running?");
        let hangs = failure(Ending::TimedOut(TIMEOUT), "");
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

    #[test]
    fn sockets_elsewhere_are_reported() {
        let dir = tempfile::tempdir().expect("temp dir");
        let elsewhere = format!("unix://{}", dir.path().display());
        for (host, health) in [
            (elsewhere.as_str(), Health::Warning),
            ("tcp://10.0.0.1:2376", Health::Warning),
            ("unix:///no/such/docker.sock", Health::Warning),
        ] {
            let check = judge_socket(Some(host));
            assert_eq!(check.health, health, "{host}");
            assert!(check.fix.is_some(), "{host}");
        }
        let check = judge_socket(Some(&elsewhere));
        let fix = check.fix.unwrap_or_default();
        assert!(fix.contains(&format!("docker-socket={}", dir.path().display())), "{fix}");
    }
}
