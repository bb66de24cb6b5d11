//! Lists of what is on this machine: backups, sandboxes, plugins; and the files of completion.

use sandbox::{ClusterInfo, SandboxInfo, SandboxState};

use super::assert_screen;
use crate::commands::{
    FoundBackup, InstalledCompletion, PluginCheck, PluginList, PluginSummary, TrustWord,
};
use crate::render::{backups, completion, plugin_check, plugins, sandbox_up};

#[test]
fn the_list_of_backups() {
    let backup = |run: &str, time: &str, namespace: Option<&str>| FoundBackup {
        directory: format!("/home/me/.local/state/kubectl-pivot/backups/{run}").into(),
        run: run.to_owned(),
        time: time.to_owned(),
        server: "https://10.0.0.1:6443".to_owned(),
        namespace: namespace.map(str::to_owned),
        clusters: 8,
        objects: 232,
        encryption: None,
    };
    let found = [
        backup("72f0a223", "2026-11-28T09:00:00Z", Some("fleet")),
        backup("b3ac53f8", "2026-10-01T09:00:00Z", None),
    ];
    let now = "2026-11-28T12:00:00Z".parse().expect("a time");
    assert_screen("backups", |screen| backups(&found, now, screen));
}

#[test]
fn a_sandbox_that_was_started() {
    let cluster = |name: &str, port: u16| ClusterInfo {
        name: name.to_owned(),
        context: format!("default-{name}"),
        url: format!("https://127.0.0.1:{port}"),
        kubeconfig: format!(
            "/home/me/.local/state/kubectl-pivot/sandboxes/default/{name}.kubeconfig"
        )
        .into(),
        pids: Vec::new(),
        running: true,
    };
    let sandbox = SandboxInfo {
        name: "default".to_owned(),
        dir: "/home/me/.local/state/kubectl-pivot/sandboxes/default".into(),
        state: SandboxState::Running,
        clusters: vec![cluster("source", 44129), cluster("target", 42305)],
        controllers: Vec::new(),
    };
    assert_screen("sandbox", |screen| sandbox_up(&sandbox, screen));
}

fn plugin(name: &str, kind: &str, trust: TrustWord) -> PluginSummary {
    PluginSummary {
        name: name.to_owned(),
        kind: Some(kind.to_owned()),
        version: Some("0.1.0".to_owned()),
        form: "library",
        abi_level: Some(1),
        protocol: Some("1.2".to_owned()),
        maturity: Some("stub".to_owned()),
        description: None,
        origin: "beside",
        trust,
        path: format!("/usr/local/bin/plugins/libkubectl_pivot_plugin_{name}.so").into(),
        problems: Vec::new(),
        hint: None,
    }
}

#[test]
fn the_list_of_plugins() {
    let changed = PluginSummary {
        problems: vec![
            "its sha256 is 6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b, and \
             d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35 was trusted"
                .to_owned(),
        ],
        hint: Some("if you trust its origin, run `kubectl pivot plugin trust cilium`".to_owned()),
        ..plugin("cilium", "cni", TrustWord::Changed)
    };
    let list = PluginList {
        api_version: "v",
        kind: "PluginList",
        plugins: vec![plugin("docker", "infrastructure", TrustWord::Trusted), changed],
    };
    assert_screen("plugins", |screen| plugins(&list, screen));
}

#[test]
fn a_plugin_that_does_not_conform() {
    let check = PluginCheck {
        api_version: "v",
        kind: "PluginCheck",
        file: "/src/potato/libkubectl_pivot_plugin_potato.so".into(),
        sha256: String::new(),
        name: "potato".to_owned(),
        version: "0.1.0".to_owned(),
        protocol: "1.2".to_owned(),
        findings: vec![
            "render: the Cluster has no label that its plugin selects, so nobody can tell which \
             objects of the namespace belong to it"
                .to_owned(),
        ],
    };
    assert_screen("plugin-check", |screen| plugin_check(&check, screen));
}

#[test]
fn completion_that_was_installed() {
    let installed = InstalledCompletion {
        api_version: "v",
        kind: "InstalledCompletion",
        shell: "zsh",
        script: Some("/home/me/.local/share/zsh/site-functions/_kubectl-pivot".into()),
        completer: Some("/home/me/.cargo/bin/kubectl_complete-pivot".into()),
        add: vec!["fpath=(/home/me/.local/share/zsh/site-functions $fpath)".to_owned()],
    };
    assert_screen("completion", |_| completion(&installed));
}
