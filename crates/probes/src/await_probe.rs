//! Looking at the objects of one probe until it holds.

use std::time::{Duration, Instant};

use capi::ResourceType;
use cluster::{ApiError, Change, Changes, Verb, Watched};
use futures::StreamExt;
use kubectl_pivot_plugin_api::Probe;

use super::clusters::KnownCluster;
use super::evaluate::Patience;
use super::expression::Expression;
use super::seen::{Observation, paths};

/// Between two looks at whether a kind is served by now. Kinds cannot be watched.
const KIND_CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// A watch that ends sooner than this ended too soon: a proxy closes watches at once, or the list
/// is out of date already when the watch begins.
const SHORTEST_WATCH_DURATION: Duration = Duration::from_secs(2);

/// The probe can never hold, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsatisfiable(pub(super) String);

/// One probe on its cluster.
pub(super) struct Awaited<'a> {
    pub(super) probe: &'a Probe,
    pub(super) cluster: &'a KnownCluster,
    pub(super) expression: &'a Expression,
    pub(super) paths: Vec<String>,
    /// Gets what was seen last, in words, whenever the probe was looked at and does not hold.
    pub(super) tell: &'a (dyn Fn(String) + Sync),
}

impl<'a> Awaited<'a> {
    pub(super) fn new(
        probe: &'a Probe,
        cluster: &'a KnownCluster,
        expression: &'a Expression,
        tell: &'a (dyn Fn(String) + Sync),
    ) -> Self {
        Self { probe, cluster, expression, paths: paths(&probe.expression), tell }
    }

    /// Returns when the probe holds; with [`Patience::Once`] also when it does not.
    ///
    /// `seen` always has what was seen last, so that a caller that gives up can report it.
    pub(super) async fn wait(
        &self,
        seen: &mut Observation,
        patience: Patience,
    ) -> Result<bool, Unsatisfiable> {
        let (mut anew, mut failures, mut in_vain) = (false, 0, InVain::default());
        loop {
            let begun = Instant::now();
            let looked = self.look(seen, patience, anew).await;
            anew = true;
            match looked {
                Ok(true) => return Ok(true),
                Ok(false) => {
                    failures = 0;
                    in_vain.ended(begun.elapsed());
                }
                Err(error) if is_final(&error) => return Err(Unsatisfiable(chain(&error))),
                Err(error) => {
                    failures += 1;
                    seen.trouble(chain(&error));
                    (self.tell)(seen.describe(self.probe));
                }
            }
            if patience == Patience::Once {
                return Ok(false);
            }
            self.pause(failures.max(in_vain.times)).await;
        }
    }

    /// Lists and watches, until the probe holds, or nothing more can be learnt this way.
    async fn look(
        &self,
        seen: &mut Observation,
        patience: Patience,
        anew: bool,
    ) -> Result<bool, ApiError> {
        let kind = match self.cluster.resolve(self.probe, anew).await? {
            Ok(kind) => kind,
            // No object of it can be there.
            Err(_) if self.probe.min_objects == 0 => return Ok(true),
            Err(why) => {
                seen.trouble(why);
                (self.tell)(seen.describe(self.probe));
                if patience == Patience::Wait {
                    tokio::time::sleep(KIND_CHECK_INTERVAL).await;
                }
                return Ok(false);
            }
        };
        let watched = self.watched(kind);
        let (objects, mut version) = self.cluster.client.list_watched(&watched).await?;
        seen.begin_list();
        for object in &objects {
            self.judge(object, seen).await;
        }
        drop(objects);
        // A watch that ends in good order is begun again where it was.
        let mut in_vain = InVain::default();
        while !seen.holds(self.probe) && patience == Patience::Wait {
            (self.tell)(seen.describe(self.probe));
            self.pause(in_vain.times).await;
            let begun = Instant::now();
            let changes = match self.cluster.client.watch(&watched, &version).await {
                Err(error) if error.is_expired() => return Ok(false),
                other => other?,
            };
            match self.follow(changes, &mut version, seen).await {
                Err(error) if error.is_expired() => return Ok(false),
                other => other?,
            }
            in_vain.ended(begun.elapsed());
        }
        Ok(seen.holds(self.probe))
    }

    /// Waits the longer the more attempts were in vain.
    async fn pause(&self, attempts: u32) {
        if attempts > 0 {
            tokio::time::sleep(self.cluster.client.pause(attempts)).await;
        }
    }

    /// Takes in changes until the probe holds or the watch ends.
    async fn follow(
        &self,
        mut changes: Changes,
        version: &mut String,
        seen: &mut Observation,
    ) -> Result<(), ApiError> {
        while let Some(change) = changes.next().await {
            match change? {
                Change::There(object) => {
                    object.resource_version().clone_into(version);
                    self.judge(&object, seen).await;
                }
                Change::Gone(object) => {
                    object.resource_version().clone_into(version);
                    seen.gone(&object);
                }
                Change::Bookmark(at) => *version = at,
            }
            if seen.holds(self.probe) {
                break;
            }
            (self.tell)(seen.describe(self.probe));
        }
        Ok(())
    }

    async fn judge(&self, object: &capi::Object, seen: &mut Observation) {
        let verdict = self.expression.evaluate(object.value()).await;
        seen.there(object, verdict, &self.paths);
    }

    fn watched(&self, kind: ResourceType) -> Watched {
        Watched {
            kind,
            namespace: self.probe.namespace.clone(),
            name: self.probe.object.clone(),
            labels: self.probe.selector.clone(),
        }
    }
}

/// Number of times in a row that something ended too soon.
#[derive(Debug, Default)]
struct InVain {
    times: u32,
}

impl InVain {
    fn ended(&mut self, after: Duration) {
        self.times = if after < SHORTEST_WATCH_DURATION { self.times.saturating_add(1) } else { 0 };
    }
}

/// Returns true if asking again can change nothing: no permission, or a request that makes no
/// sense. A watch that is not authorized is followed by a list, which reads the credentials again.
fn is_final(error: &ApiError) -> bool {
    match error.code() {
        Some(401) => error.verb != Verb::Watch,
        code => matches!(code, Some(400 | 403 | 405 | 422)),
    }
}

fn chain(error: &ApiError) -> String {
    format!("{error}: {}", error.cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watches_that_end_at_once_are_counted_until_one_lasts() {
        let mut in_vain = InVain::default();
        for times in 1..4 {
            in_vain.ended(Duration::from_millis(5));
            assert_eq!(in_vain.times, times);
        }
        in_vain.ended(SHORTEST_WATCH_DURATION);
        assert_eq!(in_vain.times, 0);
    }
}
