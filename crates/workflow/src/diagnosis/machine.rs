//! The programs of this machine.

use tools::{KnownTool, Toolbox};

/// Versions of this program and of those that it runs.
pub(super) async fn versions(toolbox: &Toolbox) -> String {
    let toolbox = Toolbox { events: support::journal::Events::none(), ..toolbox.clone() };
    let system = (std::env::consts::OS, std::env::consts::ARCH);
    let mut lines =
        vec![format!("kubectl-pivot {} on {} {}", env!("CARGO_PKG_VERSION"), system.0, system.1)];
    for known in KnownTool::ALL {
        lines.push(match toolbox.find(known).await {
            Ok(tool) => format!("{known} {} at {}", tool.version, tool.path.display()),
            Err(error) => error.to_string(),
        });
    }
    lines.join("\n")
}
