//! State that both proxies of a pair share: the count and the log of writes, the rules, the
//! timeline.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::watch;

use super::call::{Call, Side};
use super::fault::{Fault, Rule};
use super::timeline::{Activity, Timeline};

/// A write of the program under test.
#[derive(Clone, Debug)]
pub struct Write {
    /// Number, from 1 on; `None` for a mere renewal of the lock.
    pub number: Option<usize>,
    /// The request.
    pub call: Call,
    /// The status that the API server has answered with, if it was asked.
    pub status: Option<u16>,
}

/// State that both proxies of a pair share. Clones share it too.
#[derive(Clone)]
pub struct Traffic(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Requests that are with an API server.
    forwarded: AtomicUsize,
    /// Writes to Clusters, one after the other.
    one_sided: tokio::sync::Mutex<()>,
    /// Number of requests that are or were held in this run.
    held: watch::Sender<usize>,
    /// Counts up when what is kept may go on.
    released: watch::Sender<usize>,
    /// Counts up when everything that is under way is to be forgotten.
    epoch: watch::Sender<usize>,
}

struct State {
    rules: Vec<Rule>,
    writes: Vec<Write>,
    numbered: usize,
    records: [Option<String>; 2],
    timeline: Timeline,
    /// Uids of objects that somebody else than the program has deleted.
    deleted_by_others: HashSet<String>,
    latency: Duration,
    dice: StdRng,
    has_been_led_away: bool,
}

impl Traffic {
    /// A new traffic; `seed` decides about rules that apply by chance.
    pub fn new(seed: u64) -> Self {
        let state = State {
            rules: Vec::new(),
            writes: Vec::new(),
            numbered: 0,
            records: [None, None],
            timeline: Timeline::default(),
            deleted_by_others: HashSet::new(),
            latency: Duration::ZERO,
            dice: StdRng::seed_from_u64(seed),
            has_been_led_away: false,
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            forwarded: AtomicUsize::new(0),
            one_sided: tokio::sync::Mutex::default(),
            held: watch::Sender::new(0),
            released: watch::Sender::new(0),
            epoch: watch::Sender::new(0),
        }))
    }

    /// Begins a run: no rules, no writes yet, and connections of earlier runs are dead. The
    /// timeline goes on.
    pub fn begin_run(&self) {
        self.0.epoch.send_modify(|epoch| *epoch += 1);
        self.0.held.send_replace(0);
        let mut state = self.state();
        state.rules.clear();
        state.writes.clear();
        state.numbered = 0;
        state.records = [None, None];
    }

    /// Begins a new timeline with objects, by their paths.
    pub fn begin_timeline(&self, objects: Vec<(Side, String, Activity)>) {
        let mut timeline = Timeline::default();
        for (side, path, state) in objects {
            timeline.note(side, path, state);
        }
        self.state().timeline = timeline;
    }

    /// Has the deletion of an object not judged: a test makes it, past the proxies, not the
    /// program. What a garbage collector deletes because of the program is judged.
    pub fn note_deleted_by_others(&self, uid: &str) {
        self.state().deleted_by_others.insert(uid.to_owned());
    }

    /// Adds a rule. The first one that applies to a request decides.
    pub fn rule(&self, rule: Rule) {
        self.state().rules.push(rule);
    }

    /// The writes of this run, in the order of their arrival.
    pub fn writes(&self) -> Vec<Write> {
        self.state().writes.clone()
    }

    /// Returns whether the program has ever followed a redirection.
    pub fn has_been_led_away(&self) -> bool {
        self.state().has_been_led_away
    }

    /// The timeline so far.
    pub fn timeline(&self) -> Timeline {
        self.state().timeline.clone()
    }

    /// Waits until a request is kept.
    ///
    /// # Panics
    /// Never: the traffic holds the sending end itself.
    pub async fn held(&self) {
        let mut held = self.0.held.subscribe();
        held.wait_for(|count| *count > 0).await.expect("the traffic is alive");
    }

    /// Lets everything go on that is kept; later requests may be kept again.
    pub fn release(&self) {
        self.0.held.send_replace(0);
        self.0.released.send_modify(|count| *count += 1);
    }

    /// Kills all connections and waits until no request is with an API server any more.
    pub async fn cut(&self) {
        self.0.epoch.send_modify(|epoch| *epoch += 1);
        // A connection that was just being served notices within this time.
        tokio::time::sleep(Duration::from_millis(5)).await;
        while self.0.forwarded.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request that has come in: its index in the log, and what goes wrong with it.
    pub(super) fn arrived(&self, call: &Call) -> (Option<usize>, Option<Fault>) {
        let mut state = self.state();
        let (index, number) = if call.is_write() { state.log(call) } else { (None, None) };
        let State { rules, dice, .. } = &mut *state;
        let fault = rules.iter_mut().find_map(|rule| rule.fault(call, number, dice.random()));
        state.has_been_led_away |= call.path == super::hostile::ELSEWHERE;
        (index, fault)
    }

    /// Notes what an API server has answered to a write.
    pub(super) fn answered(&self, index: Option<usize>, status: u16) {
        let mut state = self.state();
        if let Some(write) = index.and_then(|index| state.writes.get_mut(index)) {
            write.status = Some(status);
        }
    }

    /// Lets every request take so much longer, as between clusters far apart.
    pub fn set_latency(&self, latency: Duration) {
        self.state().latency = latency;
    }

    pub(super) fn latency(&self) -> Duration {
        self.state().latency
    }

    pub(super) fn note(&self, side: Side, path: String, state: Activity) {
        self.state().timeline.note(side, path, state);
    }

    pub(super) fn is_deleted_by_others(&self, uid: &str) -> bool {
        self.state().deleted_by_others.contains(uid)
    }

    pub(super) fn note_torn_down(
        &self,
        side: Side,
        victim: String,
        cluster: String,
        state: Activity,
    ) {
        self.state().timeline.note_torn_down(side, victim, cluster, state);
    }

    pub(super) fn note_born_active(&self, side: Side, copy: &str) {
        self.state().timeline.note_born_active(side, copy);
    }

    pub(super) fn note_deletion_shown(&self, side: Side, victim: &str) {
        self.state().timeline.note_deletion_shown(side, victim);
    }

    pub(super) fn note_spared(&self, side: Side, victim: &str) {
        self.state().timeline.note_spared(side, victim);
    }

    /// The right to write to what may be active on one side only.
    pub(super) async fn one_sided_turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.one_sided.lock().await
    }

    /// Counts a request as being with an API server until the result is dropped.
    pub(super) fn forwarding(&self) -> Forwarding {
        self.0.forwarded.fetch_add(1, Ordering::SeqCst);
        Forwarding(self.clone())
    }

    pub(super) fn epoch(&self) -> watch::Receiver<usize> {
        self.0.epoch.subscribe()
    }

    /// Keeps a request until it is released.
    pub(super) async fn hold(&self) {
        let mut released = self.0.released.subscribe();
        released.mark_unchanged();
        self.0.held.send_modify(|count| *count += 1);
        // An error means that the traffic is gone, and with it the suite.
        let _ = released.changed().await;
    }
}

impl State {
    fn log(&mut self, call: &Call) -> (Option<usize>, Option<usize>) {
        let record = &mut self.records[call.side as usize];
        let mut number = None;
        if !call.is_renewal(record.as_deref()) {
            self.numbered += 1;
            number = Some(self.numbered);
        }
        if let Some(text) = call.record() {
            *record = Some(text.to_owned());
        }
        self.writes.push(Write { number, call: call.clone(), status: None });
        (Some(self.writes.len() - 1), number)
    }
}

/// A request that is with an API server.
pub(super) struct Forwarding(Traffic);

impl Drop for Forwarding {
    fn drop(&mut self) {
        self.0.0.forwarded.fetch_sub(1, Ordering::SeqCst);
    }
}
