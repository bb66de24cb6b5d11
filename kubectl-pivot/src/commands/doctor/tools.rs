//! Programs and their versions.

use futures::future::join_all;
use tools::{KnownTool, Tool, ToolError, Toolbox};

use super::diagnosis::HealthCheck;

/// A program, or what is wrong with it.
pub(super) type FoundTool = (KnownTool, Result<Tool, ToolError>);

pub(super) async fn find(toolbox: &Toolbox) -> Vec<FoundTool> {
    let searches = KnownTool::ALL.map(|known| async move { (known, toolbox.find(known).await) });
    join_all(searches).await
}

pub(super) fn judge((known, found): &FoundTool) -> HealthCheck {
    match found {
        Ok(tool) => HealthCheck::good(
            known.name(),
            format!("{known} {} at {}", tool.version, tool.path.display()),
        ),
        // Nothing here runs it.
        Err(error) if *known == KnownTool::Kubectl => {
            HealthCheck::warning(known.name(), error.to_string(), error.hint())
        }
        Err(error) => HealthCheck::problem(known.name(), error.to_string(), error.hint()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::diagnosis::Health;

    #[test]
    fn only_kubectl_may_be_missing() {
        for known in KnownTool::ALL {
            let error = ToolError::NotFound { tool: known, looked: "nowhere".to_owned() };
            let check = judge(&(known, Err(error)));
            let expected =
                if known == KnownTool::Kubectl { Health::Warning } else { Health::Problem };
            assert_eq!(check.health, expected, "{known}");
            assert!(check.fix.is_some_and(|fix| fix.contains("install it")), "{known}");
        }
    }
}
