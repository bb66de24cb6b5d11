//! The registry, over the network.

use std::collections::BTreeSet;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use oci_client::Client;
use oci_client::client::ClientConfig;
use oci_client::errors::OciDistributionError;
use oci_client::manifest::{OCI_IMAGE_INDEX_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE, OciDescriptor};
use oci_client::secrets::RegistryAuth;
use tokio::io::AsyncWrite;
use tokio::sync::oneshot;

use crate::artifact::{Artifact, ArtifactFile};
use crate::credentials;
use crate::error::ArtifactError;
use crate::form;
use crate::pack::{Package, digest};
use crate::resolve;
use crate::source::Source;

/// Limit of a connection, and of silence in an answer.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);
/// Limit of an answer about an artifact.
const METADATA_TIMEOUT: Duration = Duration::from_secs(60);
/// Limit of a helper of docker that has the credentials; it may ask the user for a password.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(60);
/// Tags that are asked for at once; a registry may give less.
const PAGE: usize = 1000;
/// Limit of the answers with tags.
const PAGES: usize = 20;
/// Limit of a library or a program, either way.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(600);

/// A client of registries. It uses the proxies and authorities of the environment, and the
/// credentials of docker's configuration.
pub struct Registry {
    client: Client,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// A client.
    pub fn new() -> Self {
        // There may be one already, which is as good.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        let config = ClientConfig {
            connect_timeout: Some(CONNECTION_TIMEOUT),
            read_timeout: Some(CONNECTION_TIMEOUT),
            user_agent: concat!("kubectl-pivot/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        Self { client: Client::new(config) }
    }

    /// Reads what there is, and nothing of the plugin itself.
    ///
    /// # Errors
    /// The registry does not answer, or has another thing there.
    pub async fn resolve(&self, source: &Source) -> Result<Artifact, ArtifactError> {
        let auth = auth(source).await?;
        let found = self.manifest(source, &auth, OCI_IMAGE_INDEX_MEDIA_TYPE).await?;
        let index = resolve::index(source, &found)?;
        let mut artifact = resolve::artifact(source, &digest(&found), &index)?;
        for entry in &index.manifests {
            let at = source.at_digest(&entry.digest);
            let found = self.manifest(&at, &auth, OCI_IMAGE_MEDIA_TYPE).await?;
            artifact.files.push(resolve::file(source, entry, &found)?);
        }
        Ok(artifact)
    }

    async fn manifest(
        &self,
        source: &Source,
        auth: &RegistryAuth,
        media_type: &str,
    ) -> Result<Vec<u8>, ArtifactError> {
        let accepted = [media_type];
        let pull = self.client.pull_manifest_raw(source.reference(), auth, &accepted);
        let (bytes, _) = within(METADATA_TIMEOUT, "read", source, pull).await?;
        if bytes.len() > form::MANIFEST_LIMIT_BYTES {
            return Err(resolve::not_a_plugin(source, "its manifest is too long"));
        }
        match source.reference().digest() {
            Some(expected) if digest(&bytes) != expected => {
                Err(ArtifactError::Digest { at: source.to_string(), expected: expected.to_owned() })
            }
            _ => Ok(bytes.to_vec()),
        }
    }

    /// Reads a file of an artifact. Its bytes have the hash that the artifact names.
    ///
    /// # Errors
    /// The registry does not answer, or gives other bytes.
    pub async fn fetch(
        &self,
        artifact: &Artifact,
        file: &ArtifactFile,
    ) -> Result<Vec<u8>, ArtifactError> {
        let source = &artifact.source;
        let layer = OciDescriptor {
            digest: format!("sha256:{}", file.hash),
            size: i64::try_from(file.size).unwrap_or(i64::MAX),
            ..OciDescriptor::default()
        };
        let mut bytes = Bounded { bytes: Vec::new(), limit: file.size };
        self.log_in(source).await?;
        let pull = self.client.pull_blob(source.reference(), &layer, &mut bytes);
        within(TRANSFER_TIMEOUT, "read", source, pull).await?;
        if digest(&bytes.bytes) != layer.digest {
            return Err(ArtifactError::Digest { at: source.to_string(), expected: layer.digest });
        }
        Ok(bytes.bytes)
    }

    /// Lists the versions of an artifact with their tags, oldest first. Other tags are left out.
    ///
    /// # Errors
    /// The registry does not answer.
    pub async fn versions(
        &self,
        source: &Source,
    ) -> Result<Vec<(semver::Version, String)>, ArtifactError> {
        let auth = auth(source).await?;
        let tags =
            within(METADATA_TIMEOUT, "list the versions of", source, self.tags(source, &auth))
                .await?;
        let parse =
            |tag: String| Some((semver::Version::parse(tag.trim_start_matches('v')).ok()?, tag));
        let mut versions: Vec<_> = tags.into_iter().filter_map(parse).collect();
        versions.sort();
        Ok(versions)
    }

    /// Reads all tags. The last page is empty, or is the one before if the registry knows no pages.
    async fn tags(
        &self,
        source: &Source,
        auth: &RegistryAuth,
    ) -> Result<BTreeSet<String>, OciDistributionError> {
        let mut tags = BTreeSet::new();
        let mut last: Option<String> = None;
        for _ in 0..PAGES {
            let (reference, after) = (source.reference(), last.as_deref());
            let page = self.client.list_tags(reference, auth, Some(PAGE), after).await?.tags;
            let known = tags.len();
            last = page.last().cloned();
            tags.extend(page);
            if tags.len() == known {
                break;
            }
        }
        Ok(tags)
    }

    /// Gives the client the credentials for requests that take none.
    async fn log_in(&self, source: &Source) -> Result<(), ArtifactError> {
        let auth = auth(source).await?;
        // The name under which the client looks for them.
        let host = source.reference().resolve_registry();
        self.client.store_auth_if_needed(host, &auth).await;
        Ok(())
    }

    /// Writes an artifact: what it is made of first, its index last.
    ///
    /// # Errors
    /// The registry refuses or does not answer.
    pub async fn push(&self, package: &Package, to: &Source) -> Result<(), ArtifactError> {
        self.log_in(to).await?;
        for (digest, bytes) in &package.blobs {
            let push = self.client.push_blob(to.reference(), bytes.clone(), digest);
            within(TRANSFER_TIMEOUT, "write", to, push).await?;
        }
        for (digest, bytes) in &package.manifests {
            self.put(&to.at_digest(digest), bytes, OCI_IMAGE_MEDIA_TYPE).await?;
        }
        self.put(to, &package.index, OCI_IMAGE_INDEX_MEDIA_TYPE).await
    }

    async fn put(
        &self,
        to: &Source,
        bytes: &[u8],
        media_type: &'static str,
    ) -> Result<(), ArtifactError> {
        let media_type = http::HeaderValue::from_static(media_type);
        let push = self.client.push_manifest_raw(to.reference(), bytes.to_vec(), media_type);
        within(METADATA_TIMEOUT, "write", to, push).await.map(drop)
    }
}

/// Looks for the credentials of the user. A helper that hangs is left behind in a thread of its
/// own, for which the end of the program does not wait.
async fn auth(source: &Source) -> Result<RegistryAuth, ArtifactError> {
    let host = source.host().to_owned();
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || sender.send(credentials::of_host(&host)));
    match tokio::time::timeout(CREDENTIALS_TIMEOUT, receiver).await {
        Ok(found) => Ok(found.unwrap_or(RegistryAuth::Anonymous)),
        Err(_) => Err(ArtifactError::Credentials {
            host: source.host().to_owned(),
            seconds: CREDENTIALS_TIMEOUT.as_secs(),
        }),
    }
}

async fn within<T>(
    limit: Duration,
    verb: &'static str,
    source: &Source,
    request: impl Future<Output = Result<T, OciDistributionError>>,
) -> Result<T, ArtifactError> {
    let at = source.to_string();
    match tokio::time::timeout(limit, request).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(source)) => Err(ArtifactError::Registry { verb, at, source: Box::new(source) }),
        Err(_) => Err(ArtifactError::Silent { at, seconds: limit.as_secs() }),
    }
}

/// Takes as many bytes as were announced, and no more.
struct Bounded {
    bytes: Vec<u8>,
    limit: u64,
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let length = u64::try_from(self.bytes.len() + bytes.len()).unwrap_or(u64::MAX);
        if length > self.limit {
            let text = format!("it is longer than the {} bytes that were announced", self.limit);
            return Poll::Ready(Err(io::Error::other(text)));
        }
        self.bytes.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
