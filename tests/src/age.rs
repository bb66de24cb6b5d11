//! The reference implementation of age: it makes the keys of the tests and reads what the program
//! has encrypted.

use std::path::{Path, PathBuf};

use sandbox::{GoSum, PinnedProgram, Wrapper};
use support::causes::in_one_line;
use support::journal::Events;
use tokio::process::Command;

use crate::parts;

const AGE: PinnedProgram = PinnedProgram {
    wrapper: Wrapper {
        go_mod: include_str!("../modules/age/go.mod"),
        go_sum: GoSum::Plain(include_str!("../modules/age/go.sum")),
        tools_go: include_str!("../modules/age/tools.go"),
    },
    module: "filippo.io/age",
    package: "filippo.io/age/cmd/age",
    name: "age",
    version_package: None,
    duration: "half a minute",
};

const KEYGEN: PinnedProgram =
    PinnedProgram { package: "filippo.io/age/cmd/age-keygen", name: "age-keygen", ..AGE };

/// Returns the program that makes keys.
///
/// # Panics
/// When it cannot be built.
pub async fn keygen() -> PathBuf {
    build(KEYGEN).await
}

/// A pair of keys.
pub struct KeyPair {
    /// File with the secret key.
    pub identity: PathBuf,
    /// The public key.
    pub recipient: String,
}

impl KeyPair {
    /// Makes a pair in a file of a folder.
    ///
    /// # Panics
    /// When age cannot be built or run.
    pub async fn new(folder: &Path, name: &str) -> Self {
        let identity = folder.join(name);
        let keygen = build(KEYGEN).await;
        let make = [Path::new("-o"), &identity];
        output(Command::new(&keygen).args(make)).await;
        let recipient = output(Command::new(&keygen).arg("-y").arg(&identity)).await;
        Self { identity, recipient: String::from_utf8_lossy(&recipient).trim().to_owned() }
    }

    /// Decrypts a file.
    ///
    /// # Panics
    /// When it is not encrypted to this pair.
    pub async fn decrypt(&self, file: &Path) -> Vec<u8> {
        let age = build(AGE).await;
        output(Command::new(age).arg("-d").arg("-i").arg(&self.identity).arg(file)).await
    }
}

async fn output(command: &mut Command) -> Vec<u8> {
    let output = command.output().await.expect("age runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

async fn build(program: PinnedProgram) -> PathBuf {
    let built = program.resolve(&parts::options(), &Events::none()).await;
    built.unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()))
}
