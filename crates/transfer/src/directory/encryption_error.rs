//! Keys that cannot be used. No error shows what was given for a key: it may be a secret one.

use std::path::PathBuf;

/// A key for a backup, or a file of keys, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EncryptionError {
    /// It is not a public key of age.
    #[error("the recipient in {place} is not a public key of age")]
    NotARecipient {
        /// The place, for example a line of a file.
        place: String,
    },
    /// It is a secret key where a public one belongs.
    #[error("{place} has a secret key, where a public one belongs")]
    SecretKey {
        /// The place.
        place: String,
    },
    /// A file of public keys has none.
    #[error("{} has no public key of age", path.display())]
    NoRecipient {
        /// The file.
        path: PathBuf,
    },
    /// It is not a file of secret keys.
    #[error("{} is not a file of age identities", path.display())]
    NotIdentities {
        /// The file.
        path: PathBuf,
    },
    /// A file of keys cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}

impl EncryptionError {
    /// The next step of the user.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::SecretKey { .. } => "give the public key to --encrypt-to, which `age-keygen -y \
                                       FILE` prints; if others can see the command line or the \
                                       file, make a new key"
                .to_owned(),
            Self::NotARecipient { .. } | Self::NoRecipient { .. } | Self::File { .. } => {
                "--encrypt-to takes a key that begins with age1, as `age-keygen` prints it, or a \
                 file with one on each line"
                    .to_owned()
            }
            Self::NotIdentities { .. } => {
                "--identity takes a file as `age-keygen` writes it, with lines that begin with \
                 AGE-SECRET-KEY-1; decrypt one that has a passphrase with `age -d` first"
                    .to_owned()
            }
        }
    }
}
