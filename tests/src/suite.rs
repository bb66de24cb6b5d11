//! A suite: cases that share control planes, run one after the other, shut down together.
//!
//! The standard harness has no end of a suite, at which shared processes and folders could go, so
//! suites have `harness = false` and run here. A suite may be made of parts with stages of their own, which
//! are set on that of the whole.

use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// The future that a function of a suite returns.
pub type Promise<T> = Pin<Box<dyn Future<Output = T>>>;

type Case<S> = Box<dyn FnOnce(Arc<S>) -> Promise<()> + Send>;
type Set<S> = fn() -> Promise<S>;

struct Entry<S> {
    name: String,
    is_thorough: bool,
    case: Case<S>,
}

/// Cases over a shared stage `S`, which is set when the first case needs it.
pub struct Suite<S> {
    cases: Vec<Entry<S>>,
}

impl<S> Default for Suite<S> {
    fn default() -> Self {
        Self { cases: Vec::new() }
    }
}

impl<S: Send + Sync + 'static> Suite<S> {
    /// A suite without cases.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the cases of a part, their names behind its name. What they share is made of the stage when the
    /// first of them needs it.
    #[must_use]
    pub fn part<P: Send + Sync + 'static>(
        mut self,
        name: &str,
        part: Suite<P>,
        set: fn(Arc<S>) -> Promise<Arc<P>>,
    ) -> Self {
        let shared = Arc::new(OnceCell::new());
        for Entry { name: case_name, is_thorough, case } in part.cases {
            let shared = Arc::clone(&shared);
            let case: Case<S> = Box::new(move |stage| {
                Box::pin(async move {
                    let own = shared.get_or_init(|| set(stage)).await;
                    case(Arc::clone(own)).await;
                })
            });
            self.cases.push(Entry { name: format!("{name}::{case_name}"), is_thorough, case });
        }
        self
    }

    /// Adds a case.
    #[must_use]
    pub fn case<F>(self, name: &str, case: impl FnOnce(Arc<S>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        self.with(name, false, case)
    }

    /// Adds a case of the thorough run, which takes hours: `cargo test -- --include-ignored`. It shows of one
    /// more fault, phase or step what a case of every run shows of another.
    #[must_use]
    pub fn thorough<F>(self, name: &str, case: impl FnOnce(Arc<S>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        self.with(name, true, case)
    }

    fn with<F>(
        mut self,
        name: &str,
        is_thorough: bool,
        case: impl FnOnce(Arc<S>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        let case: Case<S> = Box::new(|stage| Box::pin(case(stage)));
        self.cases.push(Entry { name: name.to_owned(), is_thorough, case });
        self
    }

    /// Names of the cases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.cases.iter().map(|entry| entry.name.as_str())
    }

    /// Runs the cases that the command line selects on the stage that `set` sets, takes it down, and reports.
    ///
    /// # Panics
    /// When no runtime can be started.
    pub fn run(self, set: Set<S>) -> ExitCode {
        // What a case has to say is printed with its result; the standard hook would add a trace.
        panic::set_hook(Box::new(|panic| note_place(panic.location())));
        let runtime = Arc::new(Runtime::new().expect("threads can be started"));
        let shared: Arc<Shared<S>> = Arc::default();
        let mut args = Arguments::from_args();
        // The cases share control planes and a program that takes a lock on them.
        args.test_threads = Some(1);
        let trials = self.cases.into_iter().map(|Entry { name, is_thorough, case }| {
            let (runtime, shared) = (Arc::clone(&runtime), Arc::clone(&shared));
            let trial = Trial::test(name, move || {
                let stage = shared.stage(&runtime, set)?;
                caught(|| runtime.block_on(case(stage)))
            });
            trial.with_ignored_flag(is_thorough)
        });
        let conclusion = libtest_mimic::run(&args, trials.collect());
        drop(shared);
        drop(runtime);
        conclusion.exit_code()
    }
}

struct Shared<S>(OnceLock<Result<Arc<S>, String>>);

impl<S> Default for Shared<S> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<S> Shared<S> {
    fn stage(&self, runtime: &Runtime, set: Set<S>) -> Result<Arc<S>, Failed> {
        let set = || {
            let stage = catch_unwind(AssertUnwindSafe(|| runtime.block_on(set())));
            stage.map(Arc::new).map_err(|panic| message(&*panic))
        };
        self.0
            .get_or_init(set)
            .clone()
            .map_err(|error| format!("the stage cannot be set: {error}").into())
    }
}

fn caught(case: impl FnOnce()) -> Result<(), Failed> {
    catch_unwind(AssertUnwindSafe(case)).map_err(|panic| message(&*panic).into())
}

/// Where the last panic came from.
static PLACE: Mutex<String> = Mutex::new(String::new());

fn note_place(location: Option<&panic::Location<'_>>) {
    if let (Ok(mut place), Some(location)) = (PLACE.lock(), location) {
        *place = location.to_string();
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked");
    let place = PLACE.lock().map(|place| place.clone()).unwrap_or_default();
    format!("{place}: {text}")
}
