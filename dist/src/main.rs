//! `dist`: the command line of the release. `.ci/run dist` runs it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool of the build")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kubectl_pivot_dist::{
    Archive, Built, Compiler, DistError, Manifest, Source, Target, bill_of_materials, compile,
    entries, required_glibc, sha256, size_of_program,
};
use support::causes;

/// Make release archives and manifests.
#[derive(Debug, Parser)]
#[command(name = "dist")]
struct Cli {
    #[command(subcommand)]
    command: Work,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Make the archive of a target that runs on this machine, with its checksum and bill of
    /// materials.
    Archive(ArchiveArgs),
    /// Print the bill of materials of any target.
    Bill {
        /// Target triple; the default is this machine's.
        #[arg(long)]
        target: Option<String>,
    },
    /// Write krew-manifest.yaml and plugins/pivot.yaml for the archives of all targets.
    Manifest(ManifestArgs),
}

#[derive(Debug, clap::Args)]
struct ArchiveArgs {
    /// Target triple; the default is this machine's.
    #[arg(long)]
    target: Option<String>,
    /// Link with the glibc of this machine, whatever it is, instead of the oldest that a release is
    /// for.
    #[arg(long)]
    native: bool,
    /// Build twice, the second time in another folder, and compare.
    #[arg(long)]
    twice: bool,
    /// Folder to write into.
    #[arg(long, default_value = "target/archives")]
    to: PathBuf,
}

#[derive(Debug, clap::Args)]
struct ManifestArgs {
    /// Folder with the archives of all targets; without it the version is not released yet.
    #[arg(long)]
    archives: Option<PathBuf>,
    /// Print the manifest under this name of the plugin instead, for example capi-pivot.
    #[arg(long)]
    name: Option<String>,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Work::Archive(args) => archive(&args),
        Work::Bill { target } => bill(target.as_deref()),
        Work::Manifest(args) => manifest(args),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("error: {}", causes::in_one_line(&error));
    if let Some(hint) = error.hint() {
        eprintln!("hint: {hint}");
    }
    ExitCode::FAILURE
}

fn archive(args: &ArchiveArgs) -> Result<(), DistError> {
    let source = Source::here()?;
    let target = target(args.target.as_deref())?;
    let to = source.root.join(&args.to);
    let path = one(&source, target, args.native, "target", &to)?;
    let sum = sha256(&path)?;
    if args.twice {
        let again = one(&source, target, args.native, "target/again", &to.join("again"))?;
        let second = sha256(&again)?;
        if second != sum {
            return Err(DistError::NotReproducible { first: sum, second });
        }
        println!("built twice: equal");
    }
    let bill = path.with_file_name(format!("{}.cdx.json", target.stem(&source.version)));
    write(&bill, &format!("{:#}\n", bill_of_materials(&source, target)?))?;
    let sums = [&path, &bill].map(|path| Ok(format!("{}  {}\n", sha256(path)?, name(path))));
    let sums = sums.into_iter().collect::<Result<String, DistError>>()?;
    write(&path.with_file_name(format!("{}.sha256", name(&path))), &sums)?;
    print!("{sums}");
    Ok(())
}

fn bill(triple: Option<&str>) -> Result<(), DistError> {
    println!("{:#}", bill_of_materials(&Source::here()?, target(triple)?)?);
    Ok(())
}

fn target(triple: Option<&str>) -> Result<Target, DistError> {
    let unknown = || DistError::UnknownTarget(triple.unwrap_or("this machine").to_owned());
    triple.map_or_else(Target::host, Target::of_triple).ok_or_else(unknown)
}

/// Builds and packs one archive.
fn one(
    source: &Source,
    target: Target,
    is_native: bool,
    target_folder: &str,
    to: &Path,
) -> Result<PathBuf, DistError> {
    let compiler = Compiler { is_native, target_folder: source.root.join(target_folder) };
    let built = compile(source, target, &compiler)?;
    let stem = target.stem(&source.version);
    let archive = Archive { root: &stem, time: source.time()?, compression: 9 };
    let path = archive.write(&entries(&built, &source.root.join("LICENSE"))?, to)?;
    tell(target, &built, &path)?;
    Ok(path)
}

/// Prints the figures that a release is held to.
fn tell(target: Target, built: &Built, archive: &Path) -> Result<(), DistError> {
    for path in [built.program.as_path(), archive] {
        let metadata = fs::metadata(path).map_err(|source| DistError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        })?;
        let size = match path == built.program {
            true => size_of_program(target, metadata.len())?,
            false => format!("{:.1} MB", metadata.len() as f64 / 1e6),
        };
        println!("{}: {size}", name(path));
    }
    if let Ok(Some(version)) = required_glibc(&built.program) {
        println!("needs glibc {version}");
    }
    Ok(())
}

fn manifest(args: ManifestArgs) -> Result<(), DistError> {
    let source = Source::here()?;
    let mut manifest = match &args.archives {
        Some(folder) => Manifest::of_archives(&source.version, folder)?,
        None => Manifest::unreleased(&source.version),
    };
    if let Some(name) = args.name {
        manifest.name = name;
        print!("{}", manifest.text());
        return Ok(());
    }
    for file in ["krew-manifest.yaml", "plugins/pivot.yaml"] {
        write(&source.root.join(file), &manifest.text())?;
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn write(path: &Path, text: &str) -> Result<(), DistError> {
    fs::write(path, text).map_err(|source| DistError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    })
}
