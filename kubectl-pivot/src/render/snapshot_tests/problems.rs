//! Errors, and what `doctor` finds.

use std::io;

use capi::ObjectId;
use transfer::{MoveError, PhaseError};
use workflow::StoreError;

use super::assert_screen;
use crate::commands::{CommandError, CompletionError, Diagnosis, Health, HealthCheck};
use crate::render::{Screen, diagnosis, failure};

fn shown(error: &CommandError, screen: &Screen) -> String {
    failure(error, error.hint().as_deref(), screen)
}

#[test]
fn errors_with_their_causes_and_hints() {
    let interrupted = CommandError::Move(MoveError::Unprepared(PhaseError::Interrupted));
    assert_screen("error-interrupted", |screen| shown(&interrupted, screen));
    let unknown = CommandError::from(StoreError::Unknown("pivot".to_owned()));
    assert_screen("error-unknown-run", |screen| shown(&unknown, screen));
    let unwritable = CommandError::from(CompletionError::Write {
        path: "/usr/local/bin/kubectl_complete-pivot".into(),
        source: io::Error::from(io::ErrorKind::PermissionDenied),
    });
    assert_screen("error-not-written", |screen| shown(&unwritable, screen));
    let object = ObjectId {
        api_version: "cluster.x-k8s.io/v1beta2".to_owned(),
        kind: "Cluster".to_owned(),
        namespace: Some("fleet".to_owned()),
        name: "c0".to_owned(),
    };
    let changed = CommandError::Move(MoveError::Unprepared(PhaseError::CameBack { object }));
    assert_screen("error-with-a-long-hint", |screen| shown(&changed, screen));
}

#[test]
fn the_diagnosis_of_a_machine() {
    let check = |check, health, found: &str, fix: Option<&str>| HealthCheck {
        check,
        health,
        found: found.to_owned(),
        fix: fix.map(str::to_owned),
    };
    let machine = Diagnosis {
        api_version: "v",
        kind: "Diagnosis",
        platform: "linux".to_owned(),
        checks: vec![
            check("kind", Health::Good, "kind 0.33.0 at /usr/local/bin/kind", None),
            check(
                "completion",
                Health::Warning,
                "kubectl_complete-pivot is in no folder of PATH, so kubectl completes no flags and \
                 names here",
                Some("`kubectl pivot completion install`"),
            ),
            check(
                "inotify-instances",
                Health::Problem,
                "fs.inotify.max_user_instances is 128, and several nodes need 512",
                Some(
                    "`sudo sysctl fs.inotify.max_user_instances=512`; a file in /etc/sysctl.d \
                     keeps it",
                ),
            ),
            check("docker-socket", Health::NotApplicable, "Docker runs in a virtual machine", None),
        ],
    };
    assert_screen("doctor", |screen| diagnosis(&machine, screen));
}
