//! Verifying the certificate of an API server by the rules of Go's `crypto/x509`.
//!
//! They are those of webpki but for four: a certificate that is among the trusted ones is
//! accepted, whether it is an authority or not; a server may show an authority's certificate; an
//! authority that has expired vouches for nothing; a trusted certificate that may not sign others
//! vouches for nothing but itself.

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

    /// The trusted certificates that may sign others.
    fn signers(&self) -> impl Iterator<Item = (&CertificateDer<'static>, Certificate<'_>)> {
        let read = self.authorities.iter().filter_map(|der| Some((der, Certificate::read(der)?)));
        read.filter(|(_, certificate)| certificate.may_sign())
    }

    /// Verifies by the rules of webpki.
    fn verify_chain(
        &self,
        (shown, chain): (&CertificateDer<'_>, &[CertificateDer<'_>]),
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut store = RootCertStore::empty();
        let valid = self.signers().filter(|(_, signer)| signer.is_valid_at(now));
        store.add_parsable_certificates(valid.map(|(der, _)| der.clone()));
        if store.is_empty() {
            return Err(self.no_authority());
        }
        let provider = Arc::clone(&self.provider);
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider);
        let verifier = verifier.build().map_err(|error| Error::General(error.to_string()))?;
        verifier.verify_server_cert(shown, chain, name, &[], now)
    }

    fn no_authority(&self) -> Error {
        let error = if self.signers().next().is_none() {
            CertificateError::UnknownIssuer
        } else {
            CertificateError::Expired
        };
        Error::InvalidCertificate(error)
    }

    /// Returns whether a certificate is one of those that are trusted, or an authority's that one
    /// of them has signed. Nobody compares names here with those that a signer is limited to.
    fn is_vouched_for(&self, shown: &CertificateDer<'_>, now: UnixTime) -> bool {
        let known = &self.provider.signature_verification_algorithms;
        let Some(certificate) = Certificate::read(shown) else { return false };
        self.authorities.iter().any(|authority| authority == shown)
            || self
                .signers()
                .filter(|(_, signer)| signer.is_valid_at(now) && !signer.limits_names())
                .any(|(_, signer)| certificate.is_signed_by(&signer, known))
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use rcgen::{
        BasicConstraints, CertificateParams, DnType, GeneralSubtree, IsCa, Issuer, KeyPair,
        KeyUsagePurpose, NameConstraints,
    };

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    const AUTHORITY: IsCa = IsCa::Ca(BasicConstraints::Unconstrained);

    struct Signer {
        der: CertificateDer<'static>,
        issuer: Issuer<'static, KeyPair>,
    }

    impl Signer {
        fn new(params: CertificateParams) -> Self {
            let key = KeyPair::generate().expect("a key can be made");
            let der = params.self_signed(&key).expect("it can be signed").der().clone();
            Self { der, issuer: Issuer::new(params, key) }
        }

        /// A certificate for `b` that it has signed.
        fn sign(&self, is_ca: IsCa) -> CertificateDer<'static> {
            let key = KeyPair::generate().expect("a key can be made");
            let signed = params("b", is_ca).signed_by(&key, &self.issuer);
            signed.expect("it can be signed").der().clone()
        }
    }

    fn params(name: &str, is_ca: IsCa) -> CertificateParams {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name of ASCII");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = is_ca;
        let now = SystemTime::now();
        (params.not_before, params.not_after) = ((now - DAY).into(), (now + DAY).into());
        params
    }

    /// Verifies a certificate that is shown for `b`.
    fn verify(
        shown: &CertificateDer<'static>,
        trusted: &[&CertificateDer<'static>],
    ) -> Result<(), Error> {
        let verifier = Verifier::new(trusted.iter().map(|der| (*der).clone()).collect());
        let name = ServerName::try_from("b").expect("a name");
        verifier.verify_server_cert(shown, &[], &name, &[], UnixTime::now()).map(drop)
    }

    fn unknown() -> Result<(), Error> {
        Err(CertificateError::UnknownIssuer.into())
    }

    #[test]
    fn a_trusted_certificate_of_a_server_vouches_for_no_other() {
        let authority = Signer::new(params("authority", AUTHORITY));
        for kind in [IsCa::ExplicitNoCa, IsCa::NoCa] {
            let server = Signer::new(params("a", kind));
            for forged in [server.sign(IsCa::ExplicitNoCa), server.sign(AUTHORITY)] {
                assert_eq!(verify(&forged, &[&server.der]), unknown());
                assert_ne!(verify(&forged, &[&server.der, &authority.der]), Ok(()));
            }
        }
    }

    #[test]
    fn an_authority_whose_key_is_for_something_else_vouches_for_nothing() {
        let mut params = params("authority", AUTHORITY);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let other = Signer::new(params.clone());
        for forged in [other.sign(IsCa::ExplicitNoCa), other.sign(AUTHORITY)] {
            assert_eq!(verify(&forged, &[&other.der]), unknown());
        }
        params.key_usages.push(KeyUsagePurpose::KeyCertSign);
        let authority = Signer::new(params);
        for signed in [authority.sign(IsCa::ExplicitNoCa), authority.sign(AUTHORITY)] {
            assert_eq!(verify(&signed, &[&authority.der]), Ok(()));
        }
    }

    #[test]
    fn the_limits_of_an_authority_hold_for_other_authorities_too() {
        let mut params = params("authority", AUTHORITY);
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("a".to_owned())],
            excluded_subtrees: Vec::new(),
        });
        let limited = Signer::new(params);
        for forged in [limited.sign(IsCa::ExplicitNoCa), limited.sign(AUTHORITY)] {
            assert_ne!(verify(&forged, &[&limited.der]), Ok(()));
        }
    }

    #[test]
    fn a_trusted_certificate_of_a_server_is_accepted_itself() {
        let authority = Signer::new(params("authority", AUTHORITY));
        for kind in [IsCa::ExplicitNoCa, IsCa::NoCa, AUTHORITY] {
            let alone = Signer::new(params("b", kind)).der;
            let signed = authority.sign(kind);
            for own in [alone, signed] {
                assert_eq!(verify(&own, &[&own]), Ok(()));
                let other = Signer::new(params("other", AUTHORITY)).der;
                assert_eq!(verify(&own, &[&other, &own]), Ok(()));
                assert_ne!(verify(&own, &[&other]), Ok(()));
            }
        }
    }
}
