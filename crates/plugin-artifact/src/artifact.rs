//! An artifact as its registry describes it. All of it is a claim, but the digests.

use plugin_host::{Form, Sha256};

use crate::error::ArtifactError;
use crate::platform::Platform;
use crate::source::Source;

/// A plugin in a registry.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// Address of it.
    pub source: Source,
    /// Digest of the index, by which it is the same for ever.
    pub digest: String,
    /// Name of the plugin.
    pub name: String,
    /// Version of the plugin.
    pub version: String,
    /// Kind of the plugin.
    pub kind: String,
    /// One sentence about it.
    pub description: String,
    /// The publisher, as they call themselves; nothing proves it but a signature.
    pub publisher: String,
    /// The libraries and programs.
    pub files: Vec<ArtifactFile>,
}

/// A library or a program of an artifact.
#[derive(Clone, Debug)]
pub struct ArtifactFile {
    /// The machine that it is for; nothing for a script.
    pub platform: Option<Platform>,
    /// Library or program.
    pub form: Form,
    /// Hash of its bytes.
    pub hash: Sha256,
    /// Number of its bytes.
    pub size: u64,
    /// Signature of its bytes.
    pub signature: Option<String>,
}

impl Artifact {
    /// The file for this machine.
    ///
    /// # Errors
    /// There is none.
    pub fn for_host(&self) -> Result<&ArtifactFile, ArtifactError> {
        let host = Platform::host();
        let fits = |file: &&ArtifactFile| file.platform.as_ref() == Some(&host);
        let any = |file: &&ArtifactFile| file.platform.is_none();
        let found = self.files.iter().find(fits).or(self.files.iter().find(any));
        found.ok_or_else(|| ArtifactError::NoPlatform {
            at: self.source.to_string(),
            has: self.platforms().collect::<Vec<_>>().join(", "),
        })
    }

    /// The platforms, as words; `any` for a script.
    pub fn platforms(&self) -> impl Iterator<Item = String> {
        self.files.iter().map(ArtifactFile::platform_word)
    }
}

impl ArtifactFile {
    /// The platform as a word.
    pub fn platform_word(&self) -> String {
        self.platform.as_ref().map_or("any".to_owned(), Platform::to_string)
    }
}
