//! Local repositories of providers.

use std::path::Path;

use super::clusterctl_config::{ClusterctlConfig, local_path};
use super::diagnosis::HealthCheck;

pub(super) fn judge(config: &ClusterctlConfig) -> HealthCheck {
    const NAME: &str = "repositories";
    let local = config.repositories.iter().filter_map(|(name, url)| {
        // clusterctl puts variables into addresses; they are not known here.
        local_path(url).filter(|path| !path.contains("${")).map(|path| (name, path))
    });
    let local: Vec<_> = local.collect();
    let missing: Vec<_> = local
        .iter()
        .filter(|(_, path)| !exists(path))
        .map(|(name, path)| format!("{name} ({path})"))
        .collect();
    if local.is_empty() {
        return HealthCheck::not_applicable(NAME, "no local repository is configured");
    }
    if missing.is_empty() {
        return HealthCheck::good(NAME, format!("{} local repositories are there", local.len()));
    }
    HealthCheck::problem(
        NAME,
        format!("missing: {}", missing.join(", ")),
        format!("put the files there, or change the addresses in {}", config.path.display()),
    )
}

/// clusterctl takes `latest` for the newest version folder.
fn exists(path: &str) -> bool {
    let path = Path::new(path);
    match path.parent() {
        Some(version) if version.ends_with("latest") => version.parent().is_some_and(Path::is_dir),
        _ => path.exists(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::diagnosis::Health;

    #[test]
    fn missing_repositories_are_named() {
        let dir = tempfile::tempdir().expect("temp dir");
        let there = dir.path().join("core.yaml");
        std::fs::write(&there, "").expect("written");
        let url = |path: &Path| path.display().to_string();
        let config = |urls: &[String]| ClusterctlConfig {
            repositories: urls.iter().map(|url| ("core".to_owned(), url.clone())).collect(),
            ..ClusterctlConfig::default()
        };
        assert_eq!(judge(&config(&[])).health, Health::NotApplicable);
        assert_eq!(judge(&config(&["https://x/y".to_owned()])).health, Health::NotApplicable);
        assert_eq!(judge(&config(&["/${HOME}/x".to_owned()])).health, Health::NotApplicable);
        assert_eq!(judge(&config(&[url(&there)])).health, Health::Good);
        assert_eq!(judge(&config(&[url(&dir.path().join("latest/x"))])).health, Health::Good);
        let check = judge(&config(&[url(&there), "/no/such/file.yaml".to_owned()]));
        assert_eq!(check.health, Health::Problem);
        assert_eq!(check.found, "missing: core (/no/such/file.yaml)");
    }
}
