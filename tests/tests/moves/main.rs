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
use faults::FaultBench;
use kill_matrix::Matrix;
use kubectl_pivot_tests::authenticator::Authenticator;
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::suite::Suite;

/// State that the parts share.
struct SharedFixture {
    proxied_pair: Arc<ProxiedPair>,
    /// Tells the API servers which tokens are good.
    authenticator: Arc<Authenticator>,
}

impl SharedFixture {
    async fn set() -> Self {
        let authenticator = Authenticator::start().await;
        let args = authenticator.apiserver_args();
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        // As OpenShift has it. It holds up only who may not do everything.
        args.push("--enable-admission-plugins=OwnerReferencesPermissionEnforcement");
        let proxied_pair = ProxiedPair::set_with(&args).await;
        Self { proxied_pair: Arc::new(proxied_pair), authenticator: Arc::new(authenticator) }
    }

    /// The fixture of a part that needs nothing else.
    async fn proxied_pair(self: Arc<Self>) -> Arc<ProxiedPair> {
        Arc::clone(&self.proxied_pair)
    }

    async fn bench(self: Arc<Self>) -> Arc<Bench> {
        Arc::new(Bench::on_proxied_pair(Arc::clone(&self.proxied_pair)))
    }

    async fn matrix(self: Arc<Self>) -> Arc<Matrix> {
        Arc::new(Matrix::set(Arc::clone(&self.proxied_pair)).await)
    }

    async fn fault_bench(self: Arc<Self>) -> Arc<FaultBench> {
        let (proxied_pair, authenticator) =
            (Arc::clone(&self.proxied_pair), Arc::clone(&self.authenticator));
        Arc::new(FaultBench::set(proxied_pair, authenticator).await)
    }
}

fn main() -> ExitCode {
    Suite::new()
        .on_fixtures(2)
        .part("bad_input", bad_input::suite(), |shared: Arc<SharedFixture>| {
            Box::pin(shared.bench())
        })
        .part("transaction", transaction::suite(), |shared| Box::pin(shared.proxied_pair()))
        .part("choose", choose::suite(), |shared| Box::pin(shared.proxied_pair()))
        .part("pages", pages::suite(), |shared| Box::pin(shared.proxied_pair()))
        .part("backup", backup::suite(), |shared| Box::pin(shared.proxied_pair()))
        .part("probes", probes::suite(), |shared| Box::pin(shared.proxied_pair()))
        .part("kill_matrix", kill_matrix::suite(), |shared| Box::pin(shared.matrix()))
        .part("faults", faults::suite(), |shared| Box::pin(shared.fault_bench()))
        .run(|| Box::pin(SharedFixture::set()))
}
