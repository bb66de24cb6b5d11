//! A suite: cases that share control planes, run one after the other on them, shut down together.
//!
//! The standard harness has no end of a suite, at which shared processes and folders could go, so
//! suites have `harness = false` and run here. A suite may be made of parts with fixtures of their
//! own, which are set on that of the whole. Cases wait more than they compute, so a long suite has
//! two fixtures.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// The future that a function of a suite returns.
pub type Promise<T> = Pin<Box<dyn Future<Output = T>>>;

type Case<S> = Box<dyn FnOnce(Arc<S>) -> Promise<()> + Send>;
type Setter<S> = fn() -> Promise<S>;

struct Entry<S> {
    name: String,
    is_thorough: bool,
    case: Case<S>,
}

/// Cases over a shared fixture `S`, which is set when the first case needs it.
pub struct Suite<S> {
    cases: Vec<Entry<S>>,
    fixtures: usize,
}

impl<S> Default for Suite<S> {
    fn default() -> Self {
        Self { cases: Vec::new(), fixtures: 1 }
    }
}

impl<S: Send + Sync + 'static> Suite<S> {
    /// A suite without cases.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets as many cases run at once, each on a fixture of its own. `--test-threads` can lower it.
    #[must_use]
    pub fn on_fixtures(mut self, fixtures: usize) -> Self {
        self.fixtures = fixtures;
        self
    }

    /// Adds the cases of a part, their names behind its name. What they share is made of a fixture
    /// when the first of them needs it there.
    #[must_use]
    pub fn part<P: Send + Sync + 'static>(
        mut self,
        name: &str,
        part: Suite<P>,
        set: fn(Arc<S>) -> Promise<Arc<P>>,
    ) -> Self {
        let shared = Arc::new(OfFixtures::default());
        for Entry { name: case_name, is_thorough, case } in part.cases {
            let shared = Arc::clone(&shared);
            let case: Case<S> = Box::new(move |fixture| {
                Box::pin(async move {
                    let own = shared.of(&fixture);
                    let own = own.get_or_init(|| set(fixture)).await;
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

    /// Adds a case of the thorough run, which takes hours: `cargo test -- --include-ignored`. It
    /// shows of one more fault, phase or step what a case of every run shows of another.
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
        let case: Case<S> = Box::new(|fixture| Box::pin(case(fixture)));
        self.cases.push(Entry { name: name.to_owned(), is_thorough, case });
        self
    }

    /// Names of the cases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.cases.iter().map(|entry| entry.name.as_str())
    }

    /// Runs the cases that the command line selects on the fixture that `set` sets, takes it down,
    /// and reports.
    ///
    /// # Panics
    /// When no runtime can be started.
    pub fn run(self, set: Setter<S>) -> ExitCode {
        // What a case has to say is printed with its result; the standard hook would add a trace.
        panic::set_hook(Box::new(|panic| note_place(panic.location())));
        let runtime = Arc::new(Runtime::new().expect("threads can be started"));
        let mut args = Arguments::from_args();
        // Cases share the control planes of a fixture and a program that takes a lock on them.
        let threads =
            args.test_threads.map_or(self.fixtures, |asked| asked.clamp(1, self.fixtures));
        args.test_threads = Some(threads);
        let pool = Arc::new(Pool::new(threads));
        let trials = self.cases.into_iter().map(|Entry { name, is_thorough, case }| {
            let (runtime, pool) = (Arc::clone(&runtime), Arc::clone(&pool));
            let trial = Trial::test(name, move || {
                let taken = pool.take(|| runtime.block_on(set()));
                let fixture = taken.fixture()?;
                caught(|| runtime.block_on(case(fixture)))
            });
            trial.with_ignored_flag(is_thorough)
        });
        let conclusion = libtest_mimic::run(&args, trials.collect());
        drop(pool);
        drop(runtime);
        conclusion.exit_code()
    }
}

/// State that cases of a part share on each fixture.
struct OfFixtures<S, P>(Mutex<Vec<Shared<S, P>>>);

type Shared<S, P> = (Arc<S>, Arc<OnceCell<Arc<P>>>);

impl<S, P> Default for OfFixtures<S, P> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<S, P> OfFixtures<S, P> {
    fn of(&self, fixture: &Arc<S>) -> Arc<OnceCell<Arc<P>>> {
        let mut all = locked(&self.0);
        if let Some((_, shared)) = all.iter().find(|(other, _)| Arc::ptr_eq(other, fixture)) {
            return Arc::clone(shared);
        }
        let shared = Arc::default();
        all.push((Arc::clone(fixture), Arc::clone(&shared)));
        shared
    }
}

/// A fixture, or why it could not be set.
type Set<S> = Result<Arc<S>, String>;

/// The fixtures on which no case runs now. As many threads take them as there may be fixtures.
struct Pool<S> {
    free: Mutex<Vec<Set<S>>>,
    unset: Mutex<usize>,
}

/// A fixture that a case has for itself until this is dropped.
struct Taken<'a, S> {
    pool: &'a Pool<S>,
    fixture: Set<S>,
}

impl<S> Pool<S> {
    fn new(fixtures: usize) -> Self {
        Self { free: Mutex::default(), unset: Mutex::new(fixtures) }
    }

    /// Takes a free fixture; sets one if there is none. What could not be set once is not tried
    /// again.
    fn take(&self, set: impl FnOnce() -> S) -> Taken<'_, S> {
        let free = locked(&self.free).pop();
        let fixture = free.unwrap_or_else(|| {
            let mut unset = locked(&self.unset);
            *unset = unset.checked_sub(1).expect("no more cases at once than stages");
            drop(unset);
            let fixture = catch_unwind(AssertUnwindSafe(set));
            fixture.map(Arc::new).map_err(|panic| message(&*panic))
        });
        Taken { pool: self, fixture }
    }
}

impl<S> Taken<'_, S> {
    fn fixture(&self) -> Result<Arc<S>, Failed> {
        self.fixture.clone().map_err(|error| format!("the fixture cannot be set: {error}").into())
    }
}

impl<S> Drop for Taken<'_, S> {
    fn drop(&mut self) {
        locked(&self.pool.free).push(self.fixture.clone());
    }
}

/// A case that has panicked has left nothing half-way in these lists.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn caught(case: impl FnOnce()) -> Result<(), Failed> {
    catch_unwind(AssertUnwindSafe(case)).map_err(|panic| message(&*panic).into())
}

thread_local! {
    /// Place of the last panic of this thread.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Place of the last panic of any thread: that of a task is raised again where the task is awaited.
static ELSEWHERE: Mutex<String> = Mutex::new(String::new());

fn note_place(location: Option<&panic::Location<'_>>) {
    if let Some(location) = location {
        *locked(&ELSEWHERE) = location.to_string();
        PLACE.with_borrow_mut(|place| *place = location.to_string());
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked");
    let place = PLACE.take();
    let place = if place.is_empty() { locked(&ELSEWHERE).clone() } else { place };
    format!("{place}: {text}")
}
