//! Plan, report, status and verification of moves, backups and restores.

use std::collections::{BTreeMap, BTreeSet};

use capi::ObjectId;
use transfer::{
    Check, ClusterState, Explained, Finding, Operation, Outcome, Phase, PhaseTime, Probes, Report,
    Role, Severity,
};

use super::assert_screen;
use crate::commands::{ClusterStatus, PausedCluster, RunProgress, RunStatus, Status};
use crate::render::*;

fn id(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> ObjectId {
    ObjectId {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    }
}

/// A move of eight clusters of four machines each.
fn eight_clusters(outcome: Outcome, operation: Operation) -> Report {
    let clusters = (0..8).map(|number| {
        id("cluster.x-k8s.io/v1beta2", "Cluster", Some("fleet"), &format!("c{number}"))
    });
    let machines = (0..223).map(|number| {
        id("cluster.x-k8s.io/v1beta2", "Machine", Some("fleet"), &format!("m{number}"))
    });
    let explained = |object, reason: &str| Explained { object, reason: reason.to_owned() };
    let class = id("cluster.x-k8s.io/v1beta2", "ClusterClass", Some("shared"), "quick-start");
    let unrelated =
        "belongs to no Cluster, ClusterClass or ClusterResourceSet, and has no move label";
    let kinds = [
        ("Cluster", 8),
        ("DockerCluster", 8),
        ("DockerMachine", 32),
        ("DockerMachineTemplate", 16),
        ("KubeadmConfig", 32),
        ("KubeadmControlPlane", 8),
        ("Machine", 32),
        ("Secret", 96),
    ];
    let states = (0..8).filter(|_| outcome == Outcome::Moved).map(|number| ClusterState {
        namespace: "fleet".to_owned(),
        name: format!("c{number}"),
        side: Role::Target,
        paused: false,
        paused_seconds: Some(12.5 + f64::from(number)),
    });
    let states = states.collect();
    Report {
        api_version: "v",
        kind: "MoveReport",
        run: "72f0a223".to_owned(),
        operation,
        outcome,
        error: None,
        namespace: Some("fleet".to_owned()),
        namespaces: BTreeSet::new(),
        chosen: None,
        source: "https://10.0.0.1:6443".to_owned(),
        target: "https://10.0.0.2:6443".to_owned(),
        source_stays: false,
        backup: (outcome == Outcome::Moved)
            .then(|| "/home/me/.local/state/kubectl-pivot/backups/72f0a223".to_owned()),
        clusters: 8,
        moved: clusters.chain(machines).collect(),
        kept: vec![explained(
            class,
            "lies in another namespace, or Clusters of other namespaces use it",
        )],
        not_moved: vec![
            explained(id("v1", "ConfigMap", Some("fleet"), "kube-root-ca.crt"), unrelated),
            explained(id("v1", "Secret", Some("fleet"), "registry-login"), unrelated),
        ],
        collected: Vec::new(),
        held: Vec::new(),
        labelled: Vec::new(),
        reused: Vec::new(),
        holds: Vec::new(),
        added_by_target: Vec::new(),
        conversions: Vec::new(),
        findings: Vec::new(),
        probes: Probes::default(),
        batches: Vec::new(),
        operations: Vec::new(),
        cluster_states: states,
        counts_by_kind: kinds.map(|(kind, count)| (kind.to_owned(), count)).into(),
        phases: vec![
            PhaseTime { phase: "preflight", seconds: 0.6 },
            PhaseTime { phase: "copy", seconds: 1.4 },
            PhaseTime { phase: "delete", seconds: 12.6 },
        ],
        requests: BTreeMap::from([("source", BTreeMap::from([("get", 9), ("list", 64)]))]),
    }
}

#[test]
fn the_plan_of_eight_clusters() {
    let report = eight_clusters(Outcome::Planned, Operation::Move);
    assert_screen("plan", |screen| move_plan(&report, screen, false));
}

#[test]
fn a_dry_run_ends_with_the_command_without_it() {
    let planned = eight_clusters(Outcome::Planned, Operation::Move);
    let next = "kubectl pivot move --kubeconfig a.kubeconfig --to-kubeconfig b.kubeconfig -n fleet";
    let view = ReportView { is_verbose: false, next: Some(next.to_owned()) };
    assert_screen("dry-run", |screen| report(&planned, &view, screen));
}

#[test]
fn the_report_of_a_move_begins_with_its_result() {
    let moved = eight_clusters(Outcome::Moved, Operation::Move);
    let next = "kubectl pivot verify --kubeconfig a --to-kubeconfig b --timeout 5m";
    let view = ReportView { is_verbose: false, next: Some(next.to_owned()) };
    assert_screen("moved", |screen| report(&moved, &view, screen));
}

#[test]
fn a_refused_move_shows_each_rule_once() {
    let mut refused = eight_clusters(Outcome::Refused, Operation::Move);
    refused.findings = (0..40)
        .map(|number| Finding {
            severity: Severity::Error,
            rule: "NotProvisioned",
            cluster: "source",
            object: None,
            objects: Vec::new(),
            message: format!(
                "Machine fleet/m{number}: its Node has not joined yet (status.nodeRef is not set)"
            ),
            hint: "wait until it is provisioned, or delete it, then run the command again"
                .to_owned(),
        })
        .collect();
    assert_screen("refused", |screen| report(&refused, &ReportView::default(), screen));
}

#[test]
fn the_status_of_an_interrupted_move() {
    let run = |role: &str, progress| RunStatus {
        id: "72f0a223".to_owned(),
        operation: "move".to_owned(),
        role: role.to_owned(),
        peer: "https://10.0.0.2:6443".to_owned(),
        phase: Phase::Deleting,
        can_be_rolled_back: false,
        started: "2026-11-22T16:28:45Z".to_owned(),
        namespace: Some("fleet".to_owned()),
        namespaces: BTreeSet::new(),
        chosen: None,
        holder: None,
        renewed_seconds_ago: None,
        progress,
        batches: Vec::new(),
        is_between_batches: false,
    };
    let paused = |count: usize| {
        let one = |number| PausedCluster {
            namespace: "fleet".to_owned(),
            name: format!("c{number}"),
            by_run: Some("72f0a223".to_owned()),
            paused_seconds: None,
        };
        (0..count).map(one).collect()
    };
    let cluster = |name: &str, server: &str, run, clusters: usize| ClusterStatus {
        name: name.to_owned(),
        server: server.to_owned(),
        run: Some(run),
        resting: Vec::new(),
        clusters: Some(clusters),
        paused: paused(clusters),
        leftovers: Vec::new(),
        unread: Vec::new(),
    };
    let deleting = RunProgress { copies: 0, being_deleted: 3, paused: 68 };
    let copied = RunProgress { copies: 232, being_deleted: 0, paused: 0 };
    let state = Status {
        api_version: "v",
        kind: "MoveStatus",
        clusters: vec![
            cluster("source", "https://10.0.0.1:6443", run("source", deleting), 6),
            cluster("target", "https://10.0.0.2:6443", run("target", copied), 8),
        ],
        cluster_states: Vec::new(),
        journal: None,
    };
    let flags = "--kubeconfig a.kubeconfig --to-kubeconfig b.kubeconfig";
    assert_screen("status", |screen| status(&state, flags, screen));
}

#[test]
fn checks_of_a_verification() {
    let check = |says, rule, violations: &[&str]| Check {
        says,
        rule,
        violations: violations.iter().map(|text| (*text).to_owned()).collect(),
    };
    let all = [
        check("the target has Clusters", "TargetHasClusters", &[]),
        check(
            "every Cluster is Available",
            "Available",
            &["Cluster fleet/c0: it is not Available: no"],
        ),
    ];
    assert_screen("verify", |screen| checks(&all, screen));
}

#[test]
fn the_report_of_a_backup_and_of_a_restore() {
    let mut saved = eight_clusters(Outcome::Saved, Operation::Backup);
    saved.target = "/home/me/before-upgrade".to_owned();
    let next = "kubectl pivot restore /home/me/before-upgrade";
    let view = ReportView { is_verbose: false, next: Some(next.to_owned()) };
    assert_screen("saved", |screen| report(&saved, &view, screen));
    let mut restored = eight_clusters(Outcome::Restored, Operation::Restore);
    restored.source = "/home/me/before-upgrade".to_owned();
    assert_screen("restored", |screen| report(&restored, &ReportView::default(), screen));
}

#[test]
fn the_report_of_a_move_that_was_rolled_back() {
    let undone = eight_clusters(Outcome::Undone, Operation::Move);
    assert_screen("undone", |screen| report(&undone, &ReportView::default(), screen));
}
