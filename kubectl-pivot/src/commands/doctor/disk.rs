//! Space for images and nodes.

use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use super::diagnosis::{GIB, HealthCheck};
use super::docker::Engine;
use super::platform::Platform;

const LEAST: u64 = 5 * GIB;
const GOOD: u64 = 15 * GIB;

/// A folder, and the bytes free in its file system.
pub(super) type Free = (PathBuf, u64);

/// Space where Docker keeps its data, if that is a folder of this machine.
pub(super) fn free(engine: Option<&Engine>, platform: Platform) -> Option<Free> {
    if platform == Platform::MacOs {
        return None;
    }
    let root = engine.map_or("/var/lib/docker", |engine| engine.root.as_str());
    let folder = Path::new(root).ancestors().find(|folder| folder.is_dir())?;
    let system = statvfs(folder).ok()?;
    Some((folder.to_owned(), system.f_bavail.saturating_mul(system.f_frsize)))
}

pub(super) fn judge(free: Option<Free>) -> HealthCheck {
    const NAME: &str = "disk";
    let Some((folder, bytes)) = free else {
        let why = "Docker keeps its images in a virtual machine; `docker system df` shows how much";
        return HealthCheck::not_applicable(NAME, why);
    };
    let place = format!("free in {}", folder.display());
    let fix =
        "make room, for example with `docker system prune`; images and nodes need about 5 GiB";
    HealthCheck::bytes(NAME, bytes, (LEAST, GOOD), (&place, fix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::diagnosis::Health;

    #[test]
    fn space_is_judged() {
        for (bytes, health) in
            [(GIB, Health::Problem), (6 * GIB, Health::Warning), (40 * GIB, Health::Good)]
        {
            assert_eq!(judge(Some(("/".into(), bytes))).health, health, "{bytes}");
        }
        assert_eq!(judge(None).health, Health::NotApplicable);
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_in_the_one_above() {
        let dir = tempfile::tempdir().expect("temp dir");
        let root = dir.path().join("lib/docker").display().to_string();
        let engine = Engine { root, ..Engine::default() };
        let (folder, bytes) = free(Some(&engine), Platform::Linux).expect("it is known");
        assert_eq!(folder, dir.path());
        assert!(bytes > 0);
        assert_eq!(free(Some(&engine), Platform::MacOs), None);
    }
}
