//! Encryption of the files of a backup, in the format of age: to public keys, so that the one who
//! makes backups cannot read them. The manifest stays readable: it names objects, and holds nothing
//! of them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::{DecryptError, Decryptor, Encryptor, IdentityFile, x25519};

use super::encryption_error::EncryptionError;

/// The end of the name of an encrypted file.
pub(super) const ENDING: &str = ".age";

/// The most bytes of a file with keys.
const LONGEST_KEY_FILE: u64 = 1 << 20;

/// The beginning of a secret key, which is never repeated in an error.
const SECRET: &str = "AGE-SECRET-KEY-";

/// Public keys that a backup is encrypted to; none for a backup in plain text.
#[derive(Clone, Default)]
pub struct Recipients(Vec<x25519::Recipient>);

impl Recipients {
    /// Reads what a user has named: keys that begin with `age1`, and files with a key on each line.
    ///
    /// # Errors
    /// When one of them is no key, or a file cannot be read or holds none.
    pub fn read(named: &[String]) -> Result<Self, EncryptionError> {
        let mut recipients = Vec::new();
        for named in named {
            if is_secret(named) {
                return Err(EncryptionError::SecretKey { place: "the command line".to_owned() });
            }
            if named.starts_with("age1") {
                recipients.push(recipient(named, "the command line")?);
            } else {
                recipients.extend(recipients_of(Path::new(named))?);
            }
        }
        Ok(Self(recipients))
    }

    /// Returns true if nothing is to be encrypted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys as text.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// The end that an encrypted file gets behind its name.
    pub(super) fn ending(&self) -> &'static str {
        if self.is_empty() { "" } else { ENDING }
    }

    /// The content as it is written: encrypted, if it is to be.
    pub(super) fn seal(&self, content: Vec<u8>) -> Vec<u8> {
        if self.is_empty() { content } else { self.encrypt(&content) }
    }

    fn encrypt(&self, content: &[u8]) -> Vec<u8> {
        let recipients = self.0.iter().map(|recipient| recipient as &dyn age::Recipient);
        let encryptor = Encryptor::with_recipients(recipients)
            .expect("there is a recipient, and keys of one sort go together");
        let mut sealed = Vec::with_capacity(content.len() + 512);
        let written = encryptor.wrap_output(&mut sealed).and_then(|mut writer| {
            writer.write_all(content)?;
            writer.finish()
        });
        written.expect("a vector takes all that is written to it");
        sealed
    }
}

impl fmt::Debug for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recipients").field(&self.names()).finish()
    }
}

/// Secret keys that an encrypted backup is read with.
#[derive(Clone, Default)]
pub struct Identities {
    files: Vec<PathBuf>,
    keys: Arc<Vec<Box<dyn age::Identity + Send + Sync>>>,
}

impl Identities {
    /// Reads files as `age-keygen` writes them. A pipe will do, so the key need not lie on a disk.
    ///
    /// # Errors
    /// When a file cannot be read, or holds anything else.
    pub fn read(files: &[PathBuf]) -> Result<Self, EncryptionError> {
        let mut keys = Vec::new();
        for file in files {
            let text = read_keys(file)?;
            let not_keys = || EncryptionError::NotIdentities { path: file.clone() };
            // age's own error would do, but it does not say which file.
            let parsed = IdentityFile::from_buffer(text.as_bytes()).map_err(|_| not_keys())?;
            let parsed = parsed.into_identities().map_err(|_| not_keys())?;
            if parsed.is_empty() {
                return Err(not_keys());
            }
            keys.extend(parsed);
        }
        Ok(Self { files: files.to_vec(), keys: Arc::new(keys) })
    }

    /// Returns true if no key was named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Decrypts the content of a file of a backup, which has to be whole.
    pub(super) fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, String> {
        let keys = self.keys.iter().map(|key| key.as_ref() as &dyn age::Identity);
        let opened = Decryptor::new_buffered(sealed).and_then(|decryptor| decryptor.decrypt(keys));
        let mut content = Vec::new();
        match opened {
            Ok(mut reader) => reader.read_to_end(&mut content).map_err(|_| damaged())?,
            Err(DecryptError::NoMatchingKeys) => return Err(self.none_fits()),
            Err(_) => return Err(damaged()),
        };
        Ok(content)
    }

    fn none_fits(&self) -> String {
        let files: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        format!("none of the identities in {} is one that it is encrypted to", files.join(", "))
    }
}

fn damaged() -> String {
    "it is not a whole file of age; it was damaged or is of another program".to_owned()
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identities").field("files", &self.files).finish_non_exhaustive()
    }
}

fn recipients_of(path: &Path) -> Result<Vec<x25519::Recipient>, EncryptionError> {
    let text = read_keys(path)?;
    let mut recipients = Vec::new();
    for (line, text) in text.lines().enumerate().map(|(index, text)| (index + 1, text.trim())) {
        let place = format!("line {line} of {}", path.display());
        if is_secret(text) {
            return Err(EncryptionError::SecretKey { place });
        }
        if !text.is_empty() && !text.starts_with('#') {
            recipients.push(recipient(text, &place)?);
        }
    }
    if recipients.is_empty() {
        return Err(EncryptionError::NoRecipient { path: path.to_owned() });
    }
    Ok(recipients)
}

fn recipient(text: &str, place: &str) -> Result<x25519::Recipient, EncryptionError> {
    text.parse().map_err(|_| EncryptionError::NotARecipient { place: place.to_owned() })
}

fn is_secret(text: &str) -> bool {
    text.get(..SECRET.len()).is_some_and(|start| start.eq_ignore_ascii_case(SECRET))
}

fn read_keys(path: &Path) -> Result<String, EncryptionError> {
    let failed = |source| EncryptionError::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mut text = String::new();
    file.take(LONGEST_KEY_FILE + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > LONGEST_KEY_FILE {
        let problem = format!("it is larger than {LONGEST_KEY_FILE} bytes");
        return Err(failed(io::Error::other(problem)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use age::secrecy::ExposeSecret as _;

    use super::*;

    fn key(folder: &Path, name: &str) -> (PathBuf, String) {
        let key = x25519::Identity::generate();
        let path = folder.join(name);
        let text = format!("# created\n{}\n", key.to_string().expose_secret());
        fs::write(&path, text).expect("written");
        (path, key.to_public().to_string())
    }

    #[test]
    fn each_recipient_can_read_and_nobody_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = ["a", "b", "c"].map(|name| key(folder.path(), name));
        let list = folder.path().join("recipients");
        fs::write(&list, format!("# the team\n\n{}\n", keys[1].1)).expect("written");
        let named = [keys[0].1.clone(), list.display().to_string()];
        let sealed = Recipients::read(&named).expect("keys").seal(b"secret".to_vec());
        assert!(!sealed.windows(6).any(|bytes| bytes == b"secret"));
        let open = |file: &PathBuf, sealed: &[u8]| {
            Identities::read(std::slice::from_ref(file)).expect("an identity").open(sealed)
        };
        assert_eq!(open(&keys[0].0, &sealed).expect("opened"), b"secret");
        assert_eq!(open(&keys[1].0, &sealed).expect("opened"), b"secret");
        let refused = open(&keys[2].0, &sealed).expect_err("another key");
        assert!(refused.starts_with("none of the identities in"), "{refused}");
        let mut changed = sealed.clone();
        *changed.last_mut().expect("bytes") ^= 1;
        for bad in [&changed[..], &sealed[..sealed.len() - 1], b"kind: Secret", b""] {
            assert_eq!(open(&keys[0].0, bad), Err(damaged()));
        }
    }

    #[test]
    fn a_secret_key_in_the_wrong_place_is_refused_and_not_repeated() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, _) = key(folder.path(), "key");
        let secret = fs::read_to_string(&path).expect("readable").lines().nth(1).map(str::to_owned);
        let secret = secret.expect("a key");
        for named in [secret.clone(), secret.to_lowercase(), path.display().to_string()] {
            let error = Recipients::read(&[named]).expect_err("a secret");
            assert!(matches!(error, EncryptionError::SecretKey { .. }), "{error}");
            assert!(!error.to_string().to_uppercase().contains(SECRET), "{error}");
        }
    }

    #[test]
    fn files_without_keys_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |text: &str| {
            let path = folder.path().join("file");
            fs::write(&path, text).expect("written");
            path
        };
        let recipients = |path: &Path| Recipients::read(&[path.display().to_string()]);
        let empty = recipients(&file("# none\n")).expect_err("no key");
        assert!(matches!(empty, EncryptionError::NoRecipient { .. }), "{empty}");
        let other = recipients(&file("\nssh-rsa AAAA\n")).expect_err("another sort");
        assert!(other.to_string().contains("line 2 of"), "{other}");
        let missing = recipients(&folder.path().join("missing")).expect_err("no file");
        assert!(matches!(missing, EncryptionError::File { .. }), "{missing}");
        for text in ["", "# none\n", "age1xyz\n", "{}"] {
            let error = Identities::read(&[file(text)]).expect_err("no identity");
            assert!(matches!(error, EncryptionError::NotIdentities { .. }), "{error}");
        }
        let typo = Recipients::read(&["age1xyz".to_owned()]).expect_err("no key");
        assert!(matches!(typo, EncryptionError::NotARecipient { .. }), "{typo}");
    }
}
