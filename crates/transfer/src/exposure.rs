//! Connections that others can listen to: reported once for each cluster, in the report where there
//! is one.

use cluster::{Client, Exposure};

use super::findings::Findings;
use super::run::Run;

/// Reports what the connections of a run expose.
pub(super) fn check(run: &Run, findings: &mut Findings) {
    for (cluster, side) in clusters(run) {
        for exposure in cluster.exposures() {
            let (message, hint) = (exposure.message().to_owned(), exposure.hint());
            match exposure {
                Exposure::Unverified => {
                    findings.warning("TlsNotVerified", side, message, hint);
                }
                Exposure::InClear => findings.warning("CredentialsInClear", side, message, hint),
            }
        }
    }
}

/// Warns of the same where no report is made.
pub(super) fn warn(run: &Run) {
    for (cluster, side) in clusters(run) {
        for exposure in cluster.exposures() {
            run.events.warning(format!("the {side} cluster: {}", exposure.message()));
        }
    }
}

fn clusters(run: &Run) -> impl Iterator<Item = (&Client, &'static str)> {
    let is_target = run.is_alone() && run.target.name() == "target";
    let source = (!is_target).then_some((&run.source, "source"));
    let target = (is_target || !run.is_alone()).then_some((&run.target, "target"));
    source.into_iter().chain(target)
}
