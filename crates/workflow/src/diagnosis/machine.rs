//! The programs of this machine.

use futures::future::join_all;
use support::journal::Events;
use tools::{KnownTool, Toolbox};
use transfer::Stop;

/// Versions of this program and of those that it runs.
pub(super) async fn versions(toolbox: &Toolbox) -> String {
    // A failure has stopped what ran beside it.
    let stop = Stop::default().token().clone();
    let toolbox = Toolbox { events: Events::none(), stop, ..toolbox.clone() };
    let system = (std::env::consts::OS, std::env::consts::ARCH);
    let mut lines =
        vec![format!("kubectl-pivot {} on {} {}", env!("CARGO_PKG_VERSION"), system.0, system.1)];
    // At once: one that hangs is waited for, and the others with it.
    lines.extend(join_all(KnownTool::ALL.into_iter().map(|known| version(&toolbox, known))).await);
    lines.join("\n")
}

async fn version(toolbox: &Toolbox, known: KnownTool) -> String {
    match toolbox.find(known).await {
        Ok(tool) => format!("{known} {} at {}", tool.version, tool.path.display()),
        Err(error) => error.to_string(),
    }
}
