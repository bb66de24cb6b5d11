//! Filling the cache with released parts, each whole or not at all.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use semver::Version;
use sha2::{Sha256, Sha512};
use support::journal::Events;

use super::archive::unpack;
use super::crds;
use super::download::{Wanted, check_sum};
use super::error::DownloadError;
use super::index::{Release, choose, version};
use super::places::{Places, platform};
use crate::error::{FileError, PartsError};
use crate::go::{Lock, folder_in_progress};
use crate::part::Part;
use crate::parts::Search;

/// The most bytes of the index, of a checksum, of an archive and of a program.
const LONGEST: (u64, u64, u64, u64) = (16 << 20, 4 << 10, 1 << 30, 1 << 30);

/// The programs of an archive that a control plane needs.
const OF_ARCHIVE: [&str; 2] = ["etcd", "kube-apiserver"];
const CONTROLLER_MANAGER: &str = "kube-controller-manager";

/// A released program in the cache: the newest of the pinned minor version.
pub(crate) fn cached(search: &Search, part: Part) -> Option<PathBuf> {
    newest(search, part).map(|(_, path)| path)
}

fn newest(search: &Search, part: Part) -> Option<(Version, PathBuf)> {
    let prefix = match part {
        Part::Etcd | Part::KubeApiserver => "envtest-".to_owned(),
        Part::KubeControllerManager => format!("{CONTROLLER_MANAGER}-released-"),
        _ => return None,
    };
    let pinned = version(Part::KubeApiserver.version())?;
    let suffix = format!("-{}", platform());
    let entries = fs::read_dir(search.cache()).into_iter().flatten().filter_map(Result::ok);
    let fitting = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let found = version(name.strip_prefix(&prefix)?.strip_suffix(&suffix)?)?;
        let path = entry.path().join(part.to_string());
        let is_same = (found.major, found.minor) == (pinned.major, pinned.minor);
        (is_same && path.is_file()).then_some((found, path))
    });
    fitting.max()
}

/// Downloads a part into the cache, with what comes in the same archive.
pub(crate) async fn fetch(
    part: Part,
    places: &Places<'_>,
    search: &Search,
    events: &Events,
) -> Result<(), FetchError> {
    let _lock = Lock::acquire(&search.cache(), &part.to_string(), events).await?;
    if cached(search, part).is_some() {
        return Ok(());
    }
    match part {
        Part::Etcd | Part::KubeApiserver => archive(places, search, events).await,
        Part::KubeControllerManager => controller_manager(places, search, events).await,
        _ => Err(FetchError::Download(DownloadError::NotReleased {
            what: part.to_string(),
            problem: "its project releases images and no programs".to_owned(),
        })),
    }
}

/// A part could not be fetched: its download, or the cache.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The download.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// The cache.
    #[error(transparent)]
    Cache(#[from] PartsError),
}

async fn archive(places: &Places<'_>, search: &Search, events: &Events) -> Result<(), FetchError> {
    let index = places.index();
    let wanted = Wanted { url: &index, what: "the index of envtest", limit: LONGEST.0 };
    let text = wanted.text(events).await?;
    let release = choose((&index, &text), Part::KubeApiserver.version(), &platform())?;
    let url = places.archive(&release.version, &release.name, &release.self_link);
    let what = format!("etcd and kube-apiserver {}", release.version);
    let work = folder_in_progress(&search.cache())?;
    let file = work.path().join("archive");
    Wanted { url: &url, what: &what, limit: LONGEST.2 }.file(&file, events).await?;
    events.doing(format!("checking and unpacking {what}"));
    let new = work.path().join("new");
    make_private(&new)?;
    let Release { sha512, version, .. } = release;
    blocking(|| {
        check_sum::<Sha512>(&file, &url, (&sha512, &index))?;
        let unpacked = unpack(&file, &OF_ARCHIVE, &new);
        unpacked.map_err(|problem| DownloadError::Content { url: url.clone(), problem })
    })?;
    publish(&new, &search.cache().join(format!("envtest-{version}-{}", platform())))
}

/// Of the version of the API server that is in the cache, or of the pinned one if that is built.
async fn controller_manager(
    places: &Places<'_>,
    search: &Search,
    events: &Events,
) -> Result<(), FetchError> {
    let pinned = Part::KubeApiserver.version().to_owned();
    let built = search.cached(&Part::KubeApiserver.recipe()).exists();
    let released = newest(search, Part::KubeApiserver).map(|(found, _)| format!("v{found}"));
    let version = released.filter(|_| !built).unwrap_or(pinned);
    if std::env::consts::OS != "linux" {
        let problem = "Kubernetes releases it for Linux only".to_owned();
        let what = CONTROLLER_MANAGER.to_owned();
        return Err(DownloadError::NotReleased { what, problem }.into());
    }
    let url = places.program(&version, CONTROLLER_MANAGER);
    let sum_url = format!("{url}.sha256");
    let sum = Wanted { url: &sum_url, what: "a checksum", limit: LONGEST.1 }.text(events).await?;
    let sum = sum.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let work = folder_in_progress(&search.cache())?;
    let new = work.path().join("new");
    make_private(&new)?;
    let file = new.join(CONTROLLER_MANAGER);
    let what = format!("{CONTROLLER_MANAGER} {version}");
    Wanted { url: &url, what: &what, limit: LONGEST.3 }.file(&file, events).await?;
    blocking(|| check_sum::<Sha256>(&file, &url, (&sum, &sum_url)))?;
    let executable = fs::set_permissions(&file, fs::Permissions::from_mode(0o755));
    executable.map_err(FileError::of("make executable", &file)).map_err(PartsError::from)?;
    let folder = format!("{CONTROLLER_MANAGER}-released-{version}-{}", platform());
    publish(&new, &search.cache().join(folder))
}

/// Downloads the CRDs into their folder of the cache, the same that Go modules fill.
pub(crate) async fn fetch_crds(
    places: &Places<'_>,
    search: &Search,
    events: &Events,
) -> Result<(), FetchError> {
    let target = search.cache().join(crate::crds::folder(&crate::Release::pinned()));
    let _lock = Lock::acquire(&search.cache(), "the CRDs", events).await?;
    if target.exists() {
        return Ok(());
    }
    let work = folder_in_progress(&search.cache())?;
    let new = work.path().join("new");
    make_private(&new)?;
    crds::fetch(places, &new, events).await?;
    publish(&new, &target)
}

fn make_private(folder: &Path) -> Result<(), PartsError> {
    let made = own_files::private::create_folder(folder);
    Ok(made.map_err(FileError::of("create", folder))?)
}

/// Brings a finished folder to its place.
fn publish(new: &Path, target: &Path) -> Result<(), FetchError> {
    let renamed = fs::rename(new, target).map_err(FileError::of("write", target));
    Ok(renamed.map_err(PartsError::from)?)
}

/// Reading hundreds of megabytes must not hold up what else runs.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
