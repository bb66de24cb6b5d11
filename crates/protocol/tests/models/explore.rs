//! Runs the checker over a model to its end, and prints what it has explored.

use std::fmt::Debug;
use std::hash::Hash;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model, Property};

/// Explores every state of a model and asserts that each property holds in each, and that each
/// example occurs.
pub fn assert_holds<M>(name: &str, model: M)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let started = Instant::now();
    let checker = model.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs();
    let checker = checker.join();
    print(&format!(
        "{name}: {} states, {} unique, depth {}, {:.1} s",
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth(),
        started.elapsed().as_secs_f64()
    ));
    checker.assert_properties();
}

/// Explores a model that lacks a rule until it violates a property, and prints the shortest way
/// there.
pub fn assert_finds<M>(name: &str, model: M, property: &'static str)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let condition = model.property(property).condition;
    let first = First { model, property, condition, was_found: AtomicBool::new(false) };
    let checker = first.checker().finish_when(HasDiscoveries::Any).spawn_bfs().join();
    let Some(path) = checker.discovery(property) else {
        panic!("{name}: the checker does not find a violation of {property:?}");
    };
    let steps: Vec<String> = path.into_actions().iter().map(|act| format!("{act:?}")).collect();
    print(&format!(
        "{name} violates {property:?} after {} steps:\n    {}",
        steps.len(),
        steps.join("\n    ")
    ));
}

/// A model with one property, which is violated once only: the checker keeps the last violation of
/// a block of states, and the first one is the shortest way.
struct First<M: Model> {
    model: M,
    property: &'static str,
    condition: fn(&M, &M::State) -> bool,
    was_found: AtomicBool,
}

impl<M: Model> Model for First<M> {
    type State = M::State;
    type Action = M::Action;

    fn init_states(&self) -> Vec<M::State> {
        self.model.init_states()
    }

    fn actions(&self, state: &M::State, actions: &mut Vec<M::Action>) {
        self.model.actions(state, actions);
    }

    fn next_state(&self, state: &M::State, action: M::Action) -> Option<M::State> {
        self.model.next_state(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(self.property, |first: &Self, state| {
            let holds =
                first.was_found.load(Ordering::Relaxed) || (first.condition)(&first.model, state);
            first.was_found.fetch_or(!holds, Ordering::Relaxed);
            holds
        })]
    }
}

/// Prints also where the test harness captures the standard output of a test that passes.
fn print(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
