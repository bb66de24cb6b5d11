//! The platforms that releases are made for.

use std::fmt;

/// A platform by its names in Rust and in krew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The target triple of rustc.
    pub triple: &'static str,
    /// The operating system, as Go calls it.
    pub os: &'static str,
    /// The architecture, as Go calls it.
    pub arch: &'static str,
}

/// All platforms, in the order of the manifest.
pub const TARGETS: [Target; 4] = [
    Target { triple: "x86_64-unknown-linux-gnu", os: "linux", arch: "amd64" },
    Target { triple: "aarch64-unknown-linux-gnu", os: "linux", arch: "arm64" },
    Target { triple: "x86_64-apple-darwin", os: "darwin", arch: "amd64" },
    Target { triple: "aarch64-apple-darwin", os: "darwin", arch: "arm64" },
];

impl Target {
    /// The target of this triple.
    pub fn of_triple(triple: &str) -> Option<Self> {
        TARGETS.into_iter().find(|target| target.triple == triple)
    }

    /// The platform that this program runs on.
    pub fn host() -> Option<Self> {
        let os = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        TARGETS.into_iter().find(|target| target.os == os && target.arch == arch)
    }

    /// The name of an archive without its ending, which is the name of the folder in it.
    pub fn stem(&self, version: &str) -> String {
        format!("kubectl-pivot-{version}-{}", self.triple)
    }

    /// The file name of a dynamic library.
    pub fn library(&self, name: &str) -> String {
        let suffix = if self.os == "darwin" { "dylib" } else { "so" };
        format!("lib{name}.{suffix}")
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.triple)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_a_target_on_the_machines_that_build() {
        let host = Target::host().expect("Linux or macOS on amd64 or arm64");
        assert_eq!(Target::of_triple(host.triple), Some(host));
        assert_eq!(Target::of_triple("riscv64gc-unknown-linux-gnu"), None);
    }
}
