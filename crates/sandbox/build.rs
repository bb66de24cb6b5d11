//! Compresses the checksums of the Go modules that are embedded: 190 kB of text.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use flate2::Compression;
use flate2::write::DeflateEncoder;

fn main() -> Result<(), Box<dyn Error>> {
    let parts = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("parts");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed={}", parts.display());
    for part in fs::read_dir(&parts)? {
        let part = part?;
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&fs::read(part.path().join("go.sum"))?)?;
        let name = format!("{}.go.sum", part.file_name().to_string_lossy());
        fs::write(out.join(name), encoder.finish()?)?;
    }
    Ok(())
}
