//! Compiling the program and its plugins for a target.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::DistError;
use crate::floor::{FLOOR, required_glibc};
use crate::layout::Built;
use crate::source::{Source, cargo, words};
use crate::target::Target;

/// The profile of releases, in the manifest of the workspace.
const PROFILE: &str = "dist";

/// A function that keeps its frame in a register has a short entry in the tables by which panics
/// unwind, instead of one line for each change of the stack.
const FRAME_POINTERS: &str = "-Cforce-frame-pointers=yes";

/// How to compile.
#[derive(Debug)]
pub struct Compiler {
    /// With the linker and the glibc of this machine, and for systems that have no older one.
    pub is_native: bool,
    /// The folder for whatever cargo makes.
    pub target_folder: PathBuf,
}

/// Compiles the program and all plugins, and checks what they need of the system.
///
/// # Errors
/// The sources do not compile, or a binary does not start with the oldest glibc of a release.
pub fn compile(source: &Source, target: Target, compiler: &Compiler) -> Result<Built, DistError> {
    let plugins = source.plugins()?;
    let mut command = compiler.command(target);
    command.args(["--profile", PROFILE, "--locked", "--package", "kubectl-pivot"]);
    command.args(["--features", "kubectl-pivot/quiet"]);
    command.args(plugins.iter().flat_map(|plugin| ["--package", &plugin.package]));
    command.current_dir(&source.root).env("CARGO_TARGET_DIR", &compiler.target_folder);
    command.env("CARGO_ENCODED_RUSTFLAGS", flags(&source.root));
    command.env("CARGO_INCREMENTAL", "0").stdout(Stdio::inherit()).stderr(Stdio::inherit());
    run(&mut command)?;
    let folder = compiler.target_folder.join(target.triple).join(PROFILE);
    let libraries = plugins.iter().map(|plugin| folder.join(target.library(&plugin.library)));
    let built = Built { program: folder.join("kubectl-pivot"), libraries: libraries.collect() };
    if target.os == "linux" && !compiler.is_native {
        built.libraries.iter().chain([&built.program]).try_for_each(|path| starts(path))?;
    }
    Ok(built)
}

impl Compiler {
    /// cargo, or cargo with zig as linker, which brings the symbols of every glibc.
    fn command(&self, target: Target) -> Command {
        if self.is_native || target.os != "linux" {
            let mut command = Command::new(cargo());
            command.args(["build", "--target", target.triple]);
            return command;
        }
        let mut command = Command::new("cargo-zigbuild");
        command.args(["zigbuild", "--target", &format!("{}.{FLOOR}", target.triple)]);
        command
    }
}

/// Flags of the compiler: short unwinding tables, and no folders of this machine in the binaries.
fn flags(root: &Path) -> String {
    let mut flags = vec![FRAME_POINTERS.to_owned()];
    flags.extend(without_paths(root));
    flags.join("\u{1f}")
}

fn without_paths(root: &Path) -> impl Iterator<Item = String> {
    let registry = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .map(|home| home.join("registry/src"));
    let places = [(Some(root.to_owned()), "kubectl-pivot"), (registry, "crates")];
    places.into_iter().filter_map(|(folder, name)| {
        Some(format!("--remap-path-prefix={}={name}", folder?.display()))
    })
}

fn starts(path: &Path) -> Result<(), DistError> {
    match required_glibc(path)? {
        Some(found) if found > FLOOR => Err(DistError::Floor { path: path.to_owned(), found }),
        _ => Ok(()),
    }
}

fn run(command: &mut Command) -> Result<(), DistError> {
    let status =
        command.status().map_err(|source| DistError::Start { command: words(command), source })?;
    if status.success() {
        return Ok(());
    }
    Err(DistError::Failed { command: words(command), message: status.to_string() })
}
