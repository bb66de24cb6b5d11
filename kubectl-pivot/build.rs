//! Embeds the sources of the plugin API, compressed: `plugin new` writes them beside a new plugin,
//! which then builds without this repository.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::DeflateEncoder;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..").canonicalize()?;
    let api = root.join("plugin-api");
    println!("cargo:rerun-if-changed={}", api.display());
    println!("cargo:rerun-if-changed={}", root.join("Cargo.toml").display());
    let mut files = vec![root.join("Cargo.toml"), root.join("LICENSE"), api.join("Cargo.toml")];
    files.push(api.join("abi/Cargo.toml"));
    files.push(api.join("go/go.mod"));
    // The documentation of the library quotes it.
    files.push(api.join("examples/potato.rs"));
    for folder in ["src", "abi/src", "go"] {
        sources(&api.join(folder), folder != "go", &mut files)?;
    }
    files.sort();
    let mut texts = DeflateEncoder::new(Vec::new(), Compression::best());
    let mut code = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&root)?.display().to_string();
        let text = fs::read_to_string(file)?;
        writeln!(code, "    ({name:?}, {}),", text.len())?;
        texts.write_all(text.as_bytes())?;
    }
    code.push_str("]\n");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("plugin_api.rs"), code)?;
    fs::write(out.join("plugin_api.deflate"), texts.finish()?)?;
    // 30,000 relocations of a program that may lie anywhere are 0.7 MB. Its libraries, its heap and
    // its stack still lie where the system wants, as with kubectl.
    let is_of_linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    if is_of_linux && env::var_os("CARGO_FEATURE_QUIET").is_some() {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
    Ok(())
}

/// Sources of a library without its tests. Those of Go are in one folder.
fn sources(folder: &Path, is_deep: bool, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_test = name.ends_with("_test.go") || name.ends_with("_tests.rs");
        if path.is_dir() && is_deep {
            sources(&path, is_deep, files)?;
        } else if !is_test && path.extension().is_some_and(|end| end == "rs" || end == "go") {
            files.push(path);
        }
    }
    Ok(())
}
