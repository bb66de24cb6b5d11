//! Completion of `kubectl pivot` by kubectl.

use std::path::PathBuf;

use tools::KnownTool;

use super::diagnosis::HealthCheck;
use super::tools::FoundTool;
use crate::called;
use crate::commands::completion::completer_in_path;

/// The means of kubectl to complete command lines of this program.
pub(super) struct Completer {
    has_kubectl: bool,
    name: String,
    path: Option<PathBuf>,
}

pub(super) fn look(found: &[FoundTool]) -> Completer {
    let is_there = |(known, found): &FoundTool| *known == KnownTool::Kubectl && found.is_ok();
    let (path, name) = completer_in_path(called::program());
    Completer { has_kubectl: found.iter().any(is_there), name, path }
}

pub(super) fn judge(Completer { has_kubectl, name, path }: &Completer) -> HealthCheck {
    match path {
        Some(path) => HealthCheck::good("completion", path.display().to_string()),
        None if !has_kubectl => HealthCheck::not_applicable("completion", "there is no kubectl"),
        None => HealthCheck::warning(
            "completion",
            format!("{name} is in no folder of PATH, so kubectl completes no flags and names here"),
            "`kubectl pivot completion install`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::diagnosis::Health;

    #[test]
    fn a_missing_completer_is_a_warning_where_there_is_kubectl() {
        let health = |has_kubectl, path: Option<&str>| {
            let name = "kubectl_complete-pivot".to_owned();
            judge(&Completer { has_kubectl, name, path: path.map(PathBuf::from) }).health
        };
        assert_eq!(health(true, None), Health::Warning);
        assert_eq!(health(false, None), Health::NotApplicable);
        assert_eq!(health(true, Some("/bin/kubectl_complete-pivot")), Health::Good);
    }
}
