//! The real kubectl with the real krew, and what krew installs from: archives, a server, an index.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use sandbox::{GoSum, PinnedProgram, Wrapper};
use support::causes::in_one_line;
use support::journal::Events;

use crate::parts;
use crate::program::{Outcome, Program};

macro_rules! wrapper {
    ($dir:literal) => {
        Wrapper {
            go_mod: include_str!(concat!("../modules/", $dir, "/go.mod")),
            go_sum: GoSum::Plain(include_str!(concat!("../modules/", $dir, "/go.sum"))),
            tools_go: include_str!(concat!("../modules/", $dir, "/tools.go")),
        }
    };
}

const KUBECTL: PinnedProgram = PinnedProgram {
    wrapper: wrapper!("kubectl"),
    module: "k8s.io/kubernetes",
    package: "k8s.io/kubernetes/cmd/kubectl",
    name: "kubectl",
    version_package: Some("k8s.io/component-base/version"),
    duration: "2 min",
};

const KREW: PinnedProgram = PinnedProgram {
    wrapper: wrapper!("krew"),
    module: "sigs.k8s.io/krew",
    package: "sigs.k8s.io/krew/cmd/krew",
    name: "krew",
    version_package: None,
    duration: "half a minute",
};

const VALIDATOR: PinnedProgram = PinnedProgram {
    package: "sigs.k8s.io/krew/cmd/validate-krew-manifest",
    name: "validate-krew-manifest",
    ..KREW
};

/// Returns the program that checks a manifest for krew's index.
///
/// # Panics
/// When it cannot be built.
pub async fn validator(home: &Path) -> Program {
    Program::new(&build(VALIDATOR).await, home)
}

/// Returns the real kubectl, without anything of krew.
///
/// # Panics
/// When it cannot be built.
pub async fn kubectl(home: &Path) -> Program {
    Program::new(&build(KUBECTL).await, home)
}

/// A user with kubectl and krew, and nothing else, in a home of their own.
pub struct KrewUser {
    kubectl: Program,
}

impl KrewUser {
    /// A user who has just installed krew.
    ///
    /// # Panics
    /// When kubectl or krew cannot be built.
    pub async fn new(home: &Path) -> Self {
        let bin = home.join("bin");
        fs::create_dir_all(&bin).expect("the home is ours");
        // As krew installs itself; both print usage by the name.
        symlink(build(KREW).await, bin.join("kubectl-krew")).expect("the folder is ours");
        let kubectl = build(KUBECTL).await;
        symlink(&kubectl, bin.join("kubectl")).expect("the folder is ours");
        let path = [bin, Self::root(home).join("bin"), "/usr/bin".into(), "/bin".into()];
        let path = std::env::join_paths(path).expect("no colons").into_string().expect("UTF-8");
        let kubectl = Program::new(&kubectl, home)
            .env("KREW_ROOT", &Self::root(home).display().to_string())
            .env("KREW_NO_UPGRADE_CHECK", "1")
            .env("PATH", &path);
        Self { kubectl }
    }

    /// The folder that krew installs into.
    pub fn krew_root(&self) -> PathBuf {
        Self::root(self.kubectl.home())
    }

    /// Runs kubectl.
    pub async fn kubectl<A: AsRef<std::ffi::OsStr>>(&self, args: &[A]) -> Outcome {
        self.kubectl.run(args).await
    }

    fn root(home: &Path) -> PathBuf {
        home.join(".krew")
    }
}

async fn build(program: PinnedProgram) -> PathBuf {
    let built = program.resolve(&parts::options(), &Events::none()).await;
    built.unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()))
}

/// An index of krew: a git repository with manifests below `plugins/`, beside what else is there.
pub struct Index {
    folder: PathBuf,
}

impl Index {
    /// An index with a plugin's manifest, and folders that are none, as in this repository.
    ///
    /// # Panics
    /// When git fails.
    pub async fn new(folder: &Path, manifest: &str) -> Self {
        fs::create_dir_all(folder.join("plugins/docker")).expect("the folder is ours");
        fs::write(folder.join("plugins/docker/Cargo.toml"), "").expect("the folder is ours");
        let index = Self { folder: folder.to_owned() };
        index.git(&["init", "--quiet"]).await;
        index.publish(manifest).await;
        index
    }

    /// Publishes another version of the manifest.
    ///
    /// # Panics
    /// When git fails.
    pub async fn publish(&self, manifest: &str) {
        fs::write(self.folder.join("plugins/pivot.yaml"), manifest).expect("the folder is ours");
        self.git(&["add", "--all"]).await;
        let author = ["-c", "user.name=a", "-c", "user.email=a@a.invalid"];
        self.git(&[&author[..], &["commit", "--quiet", "--message", "manifest"]].concat()).await;
    }

    /// The address for `krew index add`.
    pub fn url(&self) -> String {
        format!("file://{}", self.folder.display())
    }

    async fn git(&self, args: &[&str]) {
        let folder = self.folder.display().to_string();
        let git = Program::new(Path::new("git"), &self.folder);
        git.run([&["-C", &folder], args].concat()).await.expect_success("git");
    }
}
