//! The way from machines to registries: mirrors and proxies, as files of kubeadm's configuration.

use kubectl_pivot_plugin_api::capi::{File, KubeadmCluster};
use kubectl_pivot_plugin_api::values::invalid;
use kubectl_pivot_plugin_api::{PluginResult, Values};

use crate::variables;

/// The folder in which the node images of kind look for mirrors.
const MIRRORS: &str = "/etc/containerd/certs.d";
/// The environment of containerd.
const PROXY: &str = "/etc/systemd/system/containerd.service.d/http-proxy.conf";

/// Adds files and commands to all machines, before those of the user.
pub(crate) fn configure(cluster: &mut KubeadmCluster<'_>, values: &Values) -> PluginResult<()> {
    let mut files = mirrors(values)?;
    let mut commands = Vec::new();
    if let Some(content) = proxy(values)? {
        files.push(file(PROXY, &content));
        commands = vec!["systemctl daemon-reload", "systemctl restart containerd"];
    }
    for settings in cluster.all_settings() {
        // A machine has one file of a path: that of the user wins.
        let is_new = |file: &&File| settings.files.iter().all(|own| own.path != file.path);
        let new: Vec<File> = files.iter().filter(is_new).cloned().collect();
        settings.files.splice(..0, new);
        settings.pre_kubeadm_commands.splice(..0, commands.iter().map(|&text| text.to_owned()));
    }
    Ok(())
}

/// One file of each registry, with its mirrors in the order in which they are asked.
fn mirrors(values: &Values) -> PluginResult<Vec<File>> {
    let mut registries: Vec<(&str, Vec<&str>)> = Vec::new();
    let mirrors = values.list(variables::REGISTRY_MIRRORS)?;
    for mirror in &mirrors {
        let (registry, url) = registry_and_url(mirror)?;
        match registries.iter_mut().find(|(known, _)| *known == registry) {
            Some((_, urls)) if urls.contains(&url) => {}
            Some((_, urls)) => urls.push(url),
            None => registries.push((registry, vec![url])),
        }
    }
    Ok(registries.iter().map(|(registry, urls)| hosts_file(registry, urls)).collect())
}

/// Reads `REGISTRY=URL`.
fn registry_and_url(mirror: &str) -> PluginResult<(&str, &str)> {
    let wrong = || {
        let variable = variables::declared(variables::REGISTRY_MIRRORS);
        invalid(
            &variable,
            &format!("`{mirror}` is not of the form docker.io=https://mirror.example"),
        )
    };
    let (registry, url) = mirror.split_once('=').ok_or_else(wrong)?;
    let is_host = |host: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-.:".contains(c);
        !host.is_empty() && !host.starts_with('.') && host.chars().all(is_part)
    };
    if !is_host(registry) || !is_address(url) {
        return Err(wrong());
    }
    Ok((registry, url))
}

fn hosts_file(registry: &str, urls: &[&str]) -> File {
    // Docker's registry has another name than its images.
    let server = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
    let host =
        |url: &&str| format!("\n[host.\"{url}\"]\n  capabilities = [\"pull\", \"resolve\"]\n");
    let hosts: String = urls.iter().map(host).collect();
    let content = format!("server = \"https://{server}\"\n{hosts}");
    file(&format!("{MIRRORS}/{registry}/hosts.toml"), &content)
}

fn proxy(values: &Values) -> PluginResult<Option<String>> {
    let mut lines = Vec::new();
    for (name, variable) in [
        ("HTTP_PROXY", variables::HTTP_PROXY),
        ("HTTPS_PROXY", variables::HTTPS_PROXY),
        ("NO_PROXY", variables::NO_PROXY),
    ] {
        let Some(value) = values.optional_text(variable) else { continue };
        let is_usable = match name {
            "NO_PROXY" => value.chars().all(|c| c.is_ascii_graphic() && !"\"\\%".contains(c)),
            _ => is_address(value),
        };
        if !is_usable {
            let why = match name {
                "NO_PROXY" => "it is not a list such as .example,10.0.0.0/8, without blanks",
                _ => {
                    "it is not an address such as http://proxy.example:3128, without a login: \
                     everybody who sees the machines would see it"
                }
            };
            return Err(invalid(&variables::declared(variable), why));
        }
        lines.push(format!("Environment=\"{name}={value}\"\n"));
    }
    Ok((!lines.is_empty()).then(|| format!("[Service]\n{}", lines.concat())))
}

fn is_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]".contains(c);
        !rest.is_empty() && rest.chars().all(is_part)
    })
}

fn file(path: &str, content: &str) -> File {
    File {
        path: path.to_owned(),
        content: content.to_owned(),
        owner: Some("root:root".to_owned()),
        permissions: Some("0644".to_owned()),
        encoding: None,
    }
}

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::{ClusterRequest, InfrastructureProvider as _, PluginError};
    use serde_json::{Value, json};

    use crate::Docker;

    fn rendered(variables: &Value) -> Result<Vec<Value>, PluginError> {
        let variables = variables.as_object().cloned().expect("an object");
        let request = ClusterRequest { variables, ..ClusterRequest::named("pivot") };
        Docker.render(&request).map(|manifests| manifests.objects)
    }

    fn kubeadm(objects: &[Value]) -> [Value; 2] {
        let find = |kind: &str, path: &str| {
            let object = objects.iter().find(|object| object["kind"] == kind);
            object.and_then(|object| object.pointer(path)).cloned().unwrap_or_default()
        };
        [
            find("KubeadmControlPlane", "/spec/kubeadmConfigSpec"),
            find("KubeadmConfigTemplate", "/spec/template/spec"),
        ]
    }

    #[test]
    fn every_machine_gets_mirrors_and_proxies() {
        let given = json!({
            "registry-mirrors":
                ["docker.io=https://mirror.example", "registry.k8s.io=http://10.0.0.7:5000"],
            "https-proxy": "http://proxy.example:3128", "no-proxy": ".example,10.0.0.0/8",
        });
        for kubeadm in kubeadm(&rendered(&given).expect("it is valid")) {
            let files = &kubeadm["files"];
            assert_eq!(files[0]["path"], "/etc/containerd/certs.d/docker.io/hosts.toml");
            let content = files[0]["content"].as_str().unwrap_or_default();
            assert!(
                content.starts_with("server = \"https://registry-1.docker.io\"\n"),
                "{content}"
            );
            assert!(content.contains("[host.\"https://mirror.example\"]"), "{content}");
            assert_eq!(files[1]["path"], "/etc/containerd/certs.d/registry.k8s.io/hosts.toml");
            let expected = "[Service]\nEnvironment=\"HTTPS_PROXY=http://proxy.example:3128\"\n\
                            Environment=\"NO_PROXY=.example,10.0.0.0/8\"\n";
            assert_eq!(files[2]["content"], expected);
            assert_eq!(kubeadm["preKubeadmCommands"][1], "systemctl restart containerd");
        }
        for kubeadm in kubeadm(&rendered(&json!({})).expect("it is valid")) {
            assert_eq!(
                (&kubeadm["files"], &kubeadm["preKubeadmCommands"]),
                (&Value::Null, &Value::Null)
            );
        }
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for (variable, value) in [
            ("registry-mirrors", "docker.io"),
            ("registry-mirrors", "../etc=https://a"),
            ("registry-mirrors", "docker.io=mirror.example"),
            ("registry-mirrors", "docker.io=https://a\"b"),
            ("http-proxy", "proxy:3128"),
            ("https-proxy", "http://me:secret@proxy:3128"),
            ("no-proxy", "a\"\nEnvironment=\"B=c"),
        ] {
            let error = rendered(&json!({variable: value})).expect_err(value);
            assert_eq!(error.variable.as_deref(), Some(variable), "{value}: {error}");
            assert!(!error.message.contains("secret@"), "{error}");
            let is_proxy = matches!(variable, "http-proxy" | "https-proxy");
            assert_eq!(error.message.contains("an address"), is_proxy, "{error}");
        }
    }
    #[test]
    fn mirrors_of_one_registry_share_a_file_and_that_of_the_user_wins() {
        let given = json!({"registry-mirrors":
            ["a.io=https://one", "b.io=https://b", "a.io=https://two", "a.io=https://one"]});
        for kubeadm in kubeadm(&rendered(&given).expect("it is valid")) {
            let files = kubeadm["files"].as_array().expect("a list");
            let expected = "server = \"https://a.io\"\n\n[host.\"https://one\"]\n  \
                            capabilities = [\"pull\", \"resolve\"]\n\n[host.\"https://two\"]\n  \
                            capabilities = [\"pull\", \"resolve\"]\n";
            assert_eq!((files.len(), &files[0]["content"]), (2, &json!(expected)));
        }
        let mut given = given;
        given["control-plane-nodes"] =
            json!({"files": [{"path": "/etc/containerd/certs.d/b.io/hosts.toml", "content": "x"}]});
        let [control_plane, _] = kubeadm(&rendered(&given).expect("it is valid"));
        let files = control_plane["files"].as_array().expect("a list");
        assert_eq!((files.len(), &files[1]["content"]), (2, &json!("x")));
    }
}
