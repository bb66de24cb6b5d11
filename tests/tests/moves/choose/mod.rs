//! Moves of some Clusters: what goes, what is copied, and that what stays gets no request.
//!
//! The oracle knows by names what belongs to a Cluster of the population. It compares whole
//! objects, resource versions among them, and looks at the requests that the source has got.

mod batches;
mod files;
mod interrupts;
mod refusals;
mod shares;

use std::collections::BTreeMap;
use std::sync::Arc;

use kubectl_pivot_tests::dump::identity;
use kubectl_pivot_tests::population::{Population, class};
use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::proxied_pair::{Ends, ProxiedPair};
use kubectl_pivot_tests::proxy::{Rule, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::Value;

/// Exit codes, as the README states them.
mod exit {
    pub(crate) const REFUSED: i32 = 3;
    pub(crate) const NOTHING: i32 = 4;
    pub(crate) const NOT_VERIFIED: i32 = 7;
}

pub(crate) fn suite() -> Suite<ProxiedPair> {
    let suite = shares::add(Suite::new());
    let suite = refusals::add(suite);
    let suite = files::add(suite);
    let suite = batches::add(suite);
    interrupts::add(suite)
}

/// Runs a case with a fresh population of three clusters.
async fn with_three<F: Future<Output = ()>>(
    proxied_pair: Arc<ProxiedPair>,
    case: impl FnOnce(Scenario) -> F,
) {
    with_population(proxied_pair, class::choosable, case).await;
}

async fn with_population<F: Future<Output = ()>>(
    proxied_pair: Arc<ProxiedPair>,
    population: fn(&str) -> Population,
    case: impl FnOnce(Scenario) -> F,
) {
    proxied_pair.remove_leases().await;
    let tag = proxied_pair.tag();
    proxied_pair.populate_with(&tag, &population(&tag)).await;
    case(Scenario { proxied_pair: Arc::clone(&proxied_pair), tag: tag.clone() }).await;
    proxied_pair.clean_up(&tag).await;
}

/// A fresh population, and what can be done with it.
#[derive(Clone)]
struct Scenario {
    proxied_pair: Arc<ProxiedPair>,
    tag: String,
}

impl Scenario {
    /// Moves with further flags.
    async fn run_move(&self, flags: &[&str]) -> Outcome {
        self.proxied_pair.traffic().begin_run();
        self.proxied_pair.program().run(self.move_args(flags)).await
    }

    fn move_args(&self, flags: &[&str]) -> Vec<String> {
        let mut args = self.proxied_pair.move_args(&self.tag);
        args.extend(flags.iter().map(|flag| (*flag).to_owned()));
        args
    }

    /// Runs a subcommand from source to target on another machine.
    async fn run(&self, command: &str, flags: &[&str]) -> Outcome {
        let mut args = self.proxied_pair.args(command);
        args.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self.proxied_pair.program().run(args).await
    }

    /// Kills a move with further flags at the rule.
    async fn kill_at(&self, flags: &[&str], rule: Rule) {
        self.proxied_pair.traffic().begin_run();
        self.proxied_pair.traffic().rule(rule);
        let mut running = self.proxied_pair.program().start(self.move_args(flags));
        tokio::select! {
            outcome = running.end() => panic!("the move has ended before the fault: {outcome}"),
            () = self.proxied_pair.traffic().held() => {}
        }
        running.kill();
        running.end().await;
        self.proxied_pair.traffic().cut().await;
    }

    async fn ends(&self) -> Ends {
        self.proxied_pair.ends(&self.tag).await
    }

    /// Everything of some Clusters in the source, as the API server has it, with resource versions.
    async fn objects_of(&self, clusters: &[&str]) -> BTreeMap<String, Value> {
        let dump = self.proxied_pair.pair().source.dump(&[&self.tag]).await;
        let of = |name: &str| clusters.iter().any(|cluster| is_of(cluster, name));
        let objects = dump.objects().iter().filter(|object| of(object.name()));
        let found: BTreeMap<String, Value> =
            objects.map(|object| (identity(object), object.value().clone())).collect();
        assert!(!found.is_empty(), "there is nothing of {clusters:?}");
        found
    }

    /// Checks that Clusters have been left alone: no request has written to anything of theirs, and
    /// it is as before.
    async fn check_untouched(&self, clusters: &[&str], before: &BTreeMap<String, Value>) {
        let after = self.objects_of(clusters).await;
        assert_eq!(before, &after, "{clusters:?} are not as they were");
        for write in self.proxied_pair.traffic().writes() {
            let name = write.call.path.rsplit('/').next().unwrap_or_default();
            let is_theirs = clusters.iter().any(|cluster| is_of(cluster, name));
            let is_of_source = write.call.side == Side::Source;
            assert!(!(is_of_source && is_theirs), "{} {}", write.call.method, write.call.path);
        }
    }

    /// Checks that nothing of the run is left on either side.
    async fn check_nothing_left(&self) {
        let left = self.proxied_pair.leftovers(&self.tag).await;
        assert!(left.is_empty(), "{left:#?}");
    }

    /// Names of the objects of a kind in both clusters.
    async fn names(&self, kind: &str) -> [Vec<String>; 2] {
        let ends = self.ends().await;
        let is_of_kind = |name: &&str| {
            let group = name.strip_prefix(kind);
            group.is_some_and(|group| group.starts_with(['.', ' ']))
        };
        [ends.source, ends.target].map(|dump| {
            let of_kind = dump.names().filter(is_of_kind);
            of_kind.filter_map(|name| Some(name.rsplit_once('/')?.1.to_owned())).collect()
        })
    }

    async fn check_names(&self, kind: &str, source: &[&str], target: &[&str]) {
        let expected = [source, target].map(|names| {
            let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            names.sort();
            names
        });
        assert_eq!(self.names(kind).await, expected, "{kind}");
    }
}

/// Returns whether an object of this name is of a Cluster, in these populations.
fn is_of(cluster: &str, name: &str) -> bool {
    name.strip_prefix(cluster).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        && !name.ends_with("-class")
}
