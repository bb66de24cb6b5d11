//! Moves between two control planes: what is refused, what goes wrong on the way, what is left of a
//! run that was killed. `cargo test --test moves faults` takes one part.

mod backup;
mod bad_input;
mod choose;
mod faults;
mod kill_matrix;
mod pages;
mod probes;
mod transaction;

use std::process::ExitCode;
use std::sync::Arc;

use bad_input::Bench;
use faults::Stormy;
use kill_matrix::Matrix;
use kubectl_pivot_tests::arena::Arena;
use kubectl_pivot_tests::authenticator::Authenticator;
use kubectl_pivot_tests::suite::Suite;

/// State that the parts share.
struct Ground {
    arena: Arc<Arena>,
    /// Tells the API servers which tokens are good.
    authenticator: Arc<Authenticator>,
}

impl Ground {
    async fn set() -> Self {
        let authenticator = Authenticator::start().await;
        let args = authenticator.apiserver_args();
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        // As OpenShift has it. It holds up only who may not do everything.
        args.push("--enable-admission-plugins=OwnerReferencesPermissionEnforcement");
        let arena = Arena::set_with(&args).await;
        Self { arena: Arc::new(arena), authenticator: Arc::new(authenticator) }
    }

    /// The stage of a part that needs nothing else.
    async fn arena(self: Arc<Self>) -> Arc<Arena> {
        Arc::clone(&self.arena)
    }

    async fn bench(self: Arc<Self>) -> Arc<Bench> {
        Arc::new(Bench::in_arena(Arc::clone(&self.arena)))
    }

    async fn matrix(self: Arc<Self>) -> Arc<Matrix> {
        Arc::new(Matrix::set(Arc::clone(&self.arena)).await)
    }

    async fn stormy(self: Arc<Self>) -> Arc<Stormy> {
        let (arena, authenticator) = (Arc::clone(&self.arena), Arc::clone(&self.authenticator));
        Arc::new(Stormy::set(arena, authenticator).await)
    }
}

fn main() -> ExitCode {
    Suite::new()
        .on_stages(2)
        .part("bad_input", bad_input::suite(), |ground: Arc<Ground>| Box::pin(ground.bench()))
        .part("transaction", transaction::suite(), |ground| Box::pin(ground.arena()))
        .part("choose", choose::suite(), |ground| Box::pin(ground.arena()))
        .part("pages", pages::suite(), |ground| Box::pin(ground.arena()))
        .part("backup", backup::suite(), |ground| Box::pin(ground.arena()))
        .part("probes", probes::suite(), |ground| Box::pin(ground.arena()))
        .part("kill_matrix", kill_matrix::suite(), |ground| Box::pin(ground.matrix()))
        .part("faults", faults::suite(), |ground| Box::pin(ground.stormy()))
        .run(|| Box::pin(Ground::set()))
}
