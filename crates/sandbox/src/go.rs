//! Building parts and fetching modules with the Go toolchain, one process at a time per cache.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::file_lock::FileLock;
use support::journal::Events;
use tempfile::TempDir;
use tokio::process::Command;
use tools::Group;

use super::error::{FileError, PartsError};
use super::files::last_lines;
use super::module_files::main_module;
use super::part::{Recipe, Stamp, Wrapper};
use super::parts::Search;
use super::release::Release;
use own_files::private;

/// The time that `go` may take to clean up when this program is gone.
const GRACE_WITHOUT_US: Duration = Duration::from_secs(5);
/// Time between two reports of progress to a waiting user.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(3);

/// Builds a program into the cache and returns its path. `without_go` is the error without Go.
pub(super) async fn build(
    recipe: &Recipe,
    search: &Search,
    without_go: PartsError,
    events: &Events,
) -> Result<PathBuf, PartsError> {
    let version = recipe.version();
    let what = format!("{} {version}", recipe.name);
    let _lock = Lock::acquire(&search.cache(), &what, events).await?;
    let target = search.cached(recipe);
    if target.exists() {
        return Ok(target);
    }
    let work = Workshop::new(&search.cache(), &recipe.wrapper)?;
    let wanted = (recipe, version, recipe.package);
    work.compile(wanted, work.dir.path(), without_go, events).await?;
    work.deliver(target)
}

/// Builds the program of an older release, in the folder of its module: the `go.sum` there pins the
/// rest.
pub(super) async fn build_older(
    recipe: &Recipe,
    (release, package): (&Release, &str),
    search: &Search,
    events: &Events,
) -> Result<PathBuf, PartsError> {
    let version = release.to_string();
    let what = format!("{} {version}", recipe.name);
    let target = search.cached_at(recipe.name, &version);
    let without_go =
        || PartsError::MissingCrds { what: format!("{what} programs"), dir: target.clone() };
    if target.exists() {
        return Ok(target);
    }
    let _lock = Lock::acquire(&search.cache(), &what, events).await?;
    if target.exists() {
        return Ok(target);
    }
    let doing = format!("fetching {what} as a Go module");
    let job = Job { command: "mod download", what: &what, doing: &doing, without_go: without_go() };
    let module = main_module(release);
    let [folder] = module_folders(&recipe.wrapper, [&module], search, job, events).await?;
    let work = Workshop::new(&search.cache(), &recipe.wrapper)?;
    work.compile((recipe, &version, package), &folder, without_go(), events).await?;
    work.deliver(target)
}

/// Fetches `modules`, as pinned by `wrapper` or with a version of their own, and returns their
/// folders in the module cache.
pub(super) async fn module_folders<const N: usize>(
    wrapper: &Wrapper,
    modules: [&str; N],
    search: &Search,
    job: Job<'_>,
    events: &Events,
) -> Result<[PathBuf; N], PartsError> {
    let work = Workshop::new(&search.cache(), wrapper)?;
    let args: Vec<String> =
        ["mod", "download", "-json"].into_iter().chain(modules).map(Into::into).collect();
    let output = run_go(&args, work.dir.path(), job, events).await?;
    let answers = answers(&output);
    let mut folders = [const { PathBuf::new() }; N];
    for (folder, module) in folders.iter_mut().zip(modules) {
        let path = module.split('@').next().unwrap_or(module);
        let answer = answers.iter().find(|answer| answer["Path"] == path);
        let dir = answer
            .and_then(|answer| answer["Dir"].as_str())
            .ok_or_else(|| PartsError::ModuleFolder { module: module.to_owned() })?;
        *folder = dir.into();
    }
    Ok(folders)
}

/// Start of the names of unfinished folders.
const IN_PROGRESS: &str = "in-progress-";

/// A run of `go`, in words.
pub(super) struct Job<'a> {
    /// The subcommand, for errors.
    pub(super) command: &'static str,
    /// Part and version.
    pub(super) what: &'a str,
    /// Shown to the user while it runs.
    pub(super) doing: &'a str,
    /// The error if there is no `go`.
    pub(super) without_go: PartsError,
}

/// Held while something is added to the cache. The kernel lets go of it when the process ends.
pub(super) struct Lock(#[expect(dead_code, reason = "held for its lock")] FileLock);

impl Lock {
    /// Waits until no other process builds into `cache`.
    pub(super) async fn acquire(
        cache: &Path,
        what: &str,
        events: &Events,
    ) -> Result<Self, PartsError> {
        private::create_folder(cache).map_err(FileError::of("create", cache))?;
        let path = cache.join("lock");
        let started = Instant::now();
        loop {
            if let Some(lock) = FileLock::acquire(&path).map_err(FileError::of("lock", &path))? {
                remove_leftovers(cache).map_err(FileError::of("clean up", cache))?;
                return Ok(Self(lock));
            }
            let seconds = started.elapsed().as_secs();
            events.doing(format!(
                "waiting for {what}, which another process is building ({seconds} s)"
            ));
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// Deletes the folders of killed builders; there are no others while the lock is held.
fn remove_leftovers(cache: &Path) -> io::Result<()> {
    for entry in fs::read_dir(cache)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(IN_PROGRESS) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// A new folder for work in progress, to be made while the lock is held.
pub(super) fn folder_in_progress(cache: &Path) -> Result<TempDir, PartsError> {
    let dir = tempfile::Builder::new().prefix(IN_PROGRESS).tempdir_in(cache);
    Ok(dir.map_err(FileError::of("create a folder in", cache))?)
}

/// A temporary folder in the cache, on the same file system, with a wrapper module in it.
struct Workshop {
    dir: TempDir,
}

impl Workshop {
    fn new(cache: &Path, wrapper: &Wrapper) -> Result<Self, PartsError> {
        let dir = folder_in_progress(cache)?;
        let sum = wrapper.go_sum.text();
        for (name, text) in
            [("go.mod", wrapper.go_mod), ("go.sum", &*sum), ("tools.go", wrapper.tools_go)]
        {
            let path = dir.path().join(name);
            fs::write(&path, text).map_err(FileError::of("write", path))?;
        }
        Ok(Self { dir })
    }

    /// Compiles a package of a version as the module in `folder` pins it.
    async fn compile(
        &self,
        (recipe, version, package): (&Recipe, &str, &str),
        folder: &Path,
        without_go: PartsError,
        events: &Events,
    ) -> Result<(), PartsError> {
        let args = vec![
            "build".into(),
            "-mod=readonly".into(),
            "-trimpath".into(),
            format!("-ldflags={}", link_flags(recipe.stamp, version)),
            "-o".into(),
            self.output().display().to_string(),
            package.into(),
        ];
        let (what, duration) = (format!("{} {version}", recipe.name), recipe.duration);
        let doing = format!("building {what} from Go modules, about {duration} on 2 cores");
        let job = Job { command: "build", what: &what, doing: &doing, without_go };
        run_go(&args, folder, job, events).await.map(drop)
    }

    /// Moves the program that was compiled to its place in the cache.
    fn deliver(&self, target: PathBuf) -> Result<PathBuf, PartsError> {
        let folder = target.parent().unwrap_or(&target);
        fs::create_dir_all(folder).map_err(FileError::of("create", folder))?;
        fs::rename(self.output(), &target).map_err(FileError::of("write", &target))?;
        Ok(target)
    }

    fn output(&self) -> PathBuf {
        self.dir.path().join("output")
    }
}

/// Runs `go` in a folder and returns what it wrote to standard output.
async fn run_go(
    args: &[String],
    folder: &Path,
    job: Job<'_>,
    events: &Events,
) -> Result<String, PartsError> {
    let failed =
        |stderr: String| PartsError::Go { what: job.what.into(), command: job.command, stderr };
    let mut group = Group::new(GRACE_WITHOUT_US).map_err(|error| failed(error.to_string()))?;
    let child = Command::new("go")
        .args(args)
        .current_dir(folder)
        // Programs that need no C compiler to be built, and no C library to run.
        .env("CGO_ENABLED", "0")
        // A workspace of the user above the cache folder would replace our pinned modules.
        .env("GOWORK", "off")
        // Set rather than removed: the user's own may also be in Go's configuration file.
        .env("GOFLAGS", "-mod=readonly")
        .env_remove("GOOS")
        .env_remove("GOARCH")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(group.id())
        .kill_on_drop(true)
        .spawn();
    let child = match child {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(job.without_go);
        }
        Err(error) => return Err(failed(error.to_string())),
    };
    let finished = async {
        tokio::select! {
            output = child.wait_with_output() => output,
            // A terminal does not send it to the group.
            _ = tokio::signal::ctrl_c() => Err(io::Error::other("stopped by you")),
        }
    };
    let output = match with_progress(finished, job.doing, events).await {
        Ok(output) => output,
        Err(error) => {
            group.kill();
            return Err(failed(error.to_string()));
        }
    };
    group.release();
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = complaint(&output);
    if is_too_old(&String::from_utf8_lossy(&output.stderr)) {
        return Err(PartsError::GoTooOld { what: job.what.into(), message });
    }
    Err(failed(message))
}

/// Returns why `go` has failed. With `-json` it says so in its answer.
fn complaint(output: &Output) -> String {
    let stderr = last_lines(&String::from_utf8_lossy(&output.stderr), 8);
    if !stderr.is_empty() {
        return stderr;
    }
    let errors: Vec<_> = answers(&String::from_utf8_lossy(&output.stdout))
        .iter()
        .filter_map(|answer| answer["Error"].as_str().map(str::to_owned))
        .collect();
    if errors.is_empty() { output.status.to_string() } else { errors.join("\n") }
}

/// Returns what `go` has written with `-json`.
fn answers(stdout: &str) -> Vec<Value> {
    serde_json::Deserializer::from_str(stdout).into_iter().map_while(Result::ok).collect()
}

async fn with_progress<T>(work: impl Future<Output = T>, doing: &str, events: &Events) -> T {
    let started = Instant::now();
    let mut tick = tokio::time::interval(PROGRESS_INTERVAL);
    tokio::pin!(work);
    loop {
        tokio::select! {
            result = &mut work => return result,
            _ = tick.tick() => events.doing(format!("{doing} ({} s)", started.elapsed().as_secs())),
        }
    }
}

/// Returns true if `go` refuses the module files because of its own version: by the rule since Go
/// 1.21, or as older ones do, which cannot even read the version line.
fn is_too_old(stderr: &str) -> bool {
    (stderr.contains("requires go >=") && stderr.contains("running go"))
        || stderr.contains("invalid go version")
        || stderr.contains("toolchain not available")
}

fn link_flags(stamp: Option<Stamp>, version: &str) -> String {
    let mut flags = "-s -w".to_owned();
    match stamp {
        None => {}
        Some(Stamp::Variable(name)) => flags.push_str(&format!(" -X {name}={version}")),
        Some(Stamp::Kubernetes(package)) => {
            let mut numbers = version.trim_start_matches('v').split('.');
            let (major, minor) =
                (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
            for (name, value) in [("gitVersion", version), ("gitMajor", major), ("gitMinor", minor)]
            {
                flags.push_str(&format!(" -X {package}.{name}={value}"));
            }
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_stamps() {
        assert_eq!(link_flags(None, "v3.6.6"), "-s -w");
        assert_eq!(
            link_flags(Some(Stamp::Kubernetes("a.io/version")), "v1.36.3"),
            "-s -w -X a.io/version.gitVersion=v1.36.3 -X a.io/version.gitMajor=1 -X \
             a.io/version.gitMinor=36"
        );
        let variable = Some(Stamp::Variable("a.io/v.version"));
        assert_eq!(link_flags(variable, "v3.21.4"), "-s -w -X a.io/v.version=v3.21.4");
    }

    #[tokio::test]
    async fn leftovers_of_killed_builders_are_deleted() {
        let cache = tempfile::tempdir().expect("temp dir");
        let finished = cache.path().join("etcd-v3.6.6");
        fs::create_dir(&finished).expect("create");
        let left = folder_in_progress(cache.path()).expect("a folder").keep();
        let _lock = Lock::acquire(cache.path(), "etcd", &Events::none()).await.expect("the lock");
        assert!(finished.exists());
        assert!(!left.exists());
    }

    #[test]
    fn old_go_versions_are_distinguished_from_other_failures() {
        assert!(is_too_old(
            "go: go.mod requires go >= 1.26.0 (running go 1.22.1; GOTOOLCHAIN=local)"
        ));
        assert!(is_too_old("go.mod:3: invalid go version '1.26.0': must match format 1.23"));
        assert!(!is_too_old("dial tcp: lookup modules.example: no such host"));
    }
}
