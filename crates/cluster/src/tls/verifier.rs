//! Verifying the certificate of an API server by the rules of Go's `crypto/x509`.
//!
//! They are those of webpki but for three: a certificate that is among the trusted ones is
//! accepted, whether it is an authority or not; a server may show an authority's certificate; an
//! authority that has expired vouches for nothing.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::certificate::Certificate;

/// Trusts the authorities of a kubeconfig.
#[derive(Debug)]
pub(crate) struct Verifier {
    authorities: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    pub(crate) fn new(authorities: Vec<CertificateDer<'static>>) -> Self {
        Self { authorities, provider: Arc::new(crypto::ring::default_provider()) }
    }

    /// The authorities that are valid at a moment.
    fn valid_at(&self, now: UnixTime) -> impl Iterator<Item = &CertificateDer<'static>> {
        let is_valid = move |der: &&CertificateDer<'_>| {
            Certificate::read(der).is_some_and(|certificate| certificate.is_valid_at(now))
        };
        self.authorities.iter().filter(is_valid)
    }

    /// Verifies by the rules of webpki.
    fn verify_chain(
        &self,
        (shown, chain): (&CertificateDer<'_>, &[CertificateDer<'_>]),
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(self.valid_at(now).cloned());
        if store.is_empty() {
            return Err(self.no_authority());
        }
        let provider = Arc::clone(&self.provider);
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider);
        let verifier = verifier.build().map_err(|error| Error::General(error.to_string()))?;
        verifier.verify_server_cert(shown, chain, name, &[], now)
    }

    fn no_authority(&self) -> Error {
        let error = if self.authorities.is_empty() {
            CertificateError::UnknownIssuer
        } else {
            CertificateError::Expired
        };
        Error::InvalidCertificate(error)
    }

    /// Returns whether a certificate is one of those that are trusted, or an authority's that one
    /// of them has signed.
    fn is_vouched_for(&self, shown: &CertificateDer<'_>, now: UnixTime) -> bool {
        let known = &self.provider.signature_verification_algorithms;
        let Some(certificate) = Certificate::read(shown) else { return false };
        self.authorities.iter().any(|authority| authority == shown)
            || self
                .valid_at(now)
                .filter_map(|der| Certificate::read(der))
                .any(|authority| certificate.is_signed_by(&authority, known))
    }
}

/// Checks what is left to check of a certificate that is vouched for.
fn verify_alone(
    shown: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    let certificate = Certificate::read(shown).ok_or(CertificateError::BadEncoding)?;
    if !certificate.is_valid_at(now) {
        return Err(CertificateError::Expired.into());
    }
    if !certificate.is_for_servers() {
        return Err(CertificateError::InvalidPurpose.into());
    }
    verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
    Ok(ServerCertVerified::assertion())
}

/// Returns whether webpki and Go may disagree about a certificate.
fn is_about_authorities(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Expired) => {
            true
        }
        Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.to_string().contains("CaUsedAsEndEntity")
        }
        _ => false,
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verify_chain((end_entity, intermediates), server_name, now).or_else(|error| {
            if is_about_authorities(&error) && self.is_vouched_for(end_entity, now) {
                return verify_alone(end_entity, server_name, now);
            }
            Err(error)
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, cert, dss, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, cert, dss, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
