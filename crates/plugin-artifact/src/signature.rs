//! Signatures by minisign: who has published a file.

use std::fmt;

use minisign_verify::{PublicKey, Signature};

/// The public key of a publisher.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    text: String,
}

/// The reason why a key or a signature does not count.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is no key. It is not shown, since it may be a secret.
    #[error("{of} is not a public key of minisign")]
    Malformed {
        /// The place of the text, for example an argument.
        of: String,
        /// It looks like a secret key.
        is_secret: bool,
    },
    /// The artifact has no signature.
    #[error("the artifact is not signed, and the key {key} is expected")]
    Unsigned {
        /// The key.
        key: String,
    },
    /// The signature is another one's, or of other bytes.
    #[error("the signature is not by the key {key}: {reason}")]
    Refused {
        /// The key.
        key: String,
        /// The cause.
        reason: String,
    },
}

impl KeyError {
    /// Returns what the user can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Malformed { is_secret: true, .. } => {
                "it is a secret key, which stays with the publisher; give the line that begins \
                 with RW, from the file minisign.pub"
            }
            Self::Malformed { .. } => {
                "give the line that begins with RW, from the publisher's file minisign.pub"
            }
            Self::Unsigned { .. } | Self::Refused { .. } => {
                "ask the publisher; if they have a new key, give it with --key KEY"
            }
        }
    }
}

impl Key {
    /// Reads a key: the line of base64, or the file of minisign with its comment. An error says
    /// `of`, which names the place of the text.
    ///
    /// # Errors
    /// It is no key.
    pub fn parse(text: &str, of: &str) -> Result<Self, KeyError> {
        let is_comment = |line: &&str| line.starts_with("untrusted comment:");
        let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !is_comment(line));
        let line = line.unwrap_or_default();
        match PublicKey::from_base64(line) {
            Ok(_) => Ok(Self { text: line.to_owned() }),
            Err(_) => Err(KeyError::Malformed { of: of.to_owned(), is_secret: is_secret(text) }),
        }
    }

    /// The line of base64.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Checks that this key has signed these bytes.
    ///
    /// # Errors
    /// There is no signature, or none of this key and these bytes.
    pub fn check(&self, bytes: &[u8], signature: Option<&str>) -> Result<(), KeyError> {
        let key = || self.text.clone();
        let Some(signature) = signature else { return Err(KeyError::Unsigned { key: key() }) };
        let refused = |error: minisign_verify::Error| KeyError::Refused {
            key: key(),
            reason: error.to_string(),
        };
        let public = PublicKey::from_base64(&self.text).map_err(refused)?;
        let signature = Signature::decode(signature).map_err(refused)?;
        // Signatures that are not made over a hash are those of old versions of minisign.
        public.verify(bytes, &signature, false).map_err(refused)
    }
}

/// Returns true for what minisign keeps secret, by its comment.
fn is_secret(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("untrusted comment:") && line.contains("secret key"))
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the documentation of minisign.
    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn a_key_is_a_line_or_a_file() {
        let file = format!("untrusted comment: minisign public key\n{KEY}\n");
        assert_eq!(Key::parse(&file, "it").expect("it is a key").as_str(), KEY);
        assert_eq!(Key::parse(KEY, "it"), Key::parse(&file, "it"));
        assert!(matches!(Key::parse("RW", "it"), Err(KeyError::Malformed { .. })));
        assert!(matches!(Key::parse("", "it"), Err(KeyError::Malformed { .. })));
    }

    #[test]
    fn a_secret_key_is_not_shown() {
        let file = "untrusted comment: minisign encrypted secret key\nRWRTY0IySECRET\n";
        let error = Key::parse(file, "the file `a` of --key").expect_err("it is no public key");
        assert_eq!(error.to_string(), "the file `a` of --key is not a public key of minisign");
        assert!(error.hint().contains("secret key"), "{}", error.hint());
        assert!(!format!("{error:?}").contains("SECRET"));
    }

    #[test]
    fn without_a_signature_nothing_is_signed() {
        let key = Key::parse(KEY, "it").expect("it is a key");
        assert!(matches!(key.check(b"test", None), Err(KeyError::Unsigned { .. })));
        let nonsense = key.check(b"test", Some("untrusted comment: a\nRUQ="));
        assert!(matches!(nonsense, Err(KeyError::Refused { .. })));
    }
}
