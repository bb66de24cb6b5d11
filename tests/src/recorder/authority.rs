//! Certificates of every kind that a server may show, made by rcgen.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SignatureAlgorithm,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Deviations of a certificate from an ordinary one.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Names and addresses that it is good for.
    pub names: Vec<String>,
    /// It may sign others.
    pub is_authority: bool,
    /// The time of the certificate is over.
    pub is_expired: bool,
    /// It is for clients only.
    pub is_of_client: bool,
    /// The kind of its key.
    pub algorithm: &'static SignatureAlgorithm,
}

impl Kind {
    /// An ordinary certificate of a server.
    pub fn server(names: &[&str]) -> Self {
        Self {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            is_authority: false,
            is_expired: false,
            is_of_client: false,
            algorithm: &rcgen::PKCS_ECDSA_P256_SHA256,
        }
    }

    /// An ordinary authority.
    pub fn authority() -> Self {
        Self { is_authority: true, ..Self::server(&[]) }
    }

    /// An ordinary certificate of a client.
    pub fn client() -> Self {
        Self { is_of_client: true, ..Self::server(&[]) }
    }

    fn params(&self, name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names = self.names.iter().map(|name| alternative(name)).collect();
        let now = SystemTime::now();
        let (from, to) =
            if self.is_expired { (now - 9 * DAY, now - DAY) } else { (now - DAY, now + DAY) };
        (params.not_before, params.not_after) = (from.into(), to.into());
        if self.is_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![
                KeyUsagePurpose::KeyCertSign,
                KeyUsagePurpose::CrlSign,
                KeyUsagePurpose::DigitalSignature,
            ];
        } else {
            params.is_ca = IsCa::ExplicitNoCa;
            let usage = match self.is_of_client {
                true => ExtendedKeyUsagePurpose::ClientAuth,
                false => ExtendedKeyUsagePurpose::ServerAuth,
            };
            params.extended_key_usages = vec![usage];
        }
        params
    }
}

fn alternative(name: &str) -> SanType {
    match name.parse::<IpAddr>() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) => SanType::DnsName(name.to_owned().try_into().expect("a name of ASCII")),
    }
}

/// A certificate and its key, as PEM.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The same, encoded.
    pub der: Vec<u8>,
    /// The key of the certificate.
    pub key: String,
}

/// Somebody who signs certificates.
pub struct Authority {
    issued: Issued,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// An authority that nobody has signed.
    pub fn new(name: &str, kind: &Kind) -> Self {
        let key = KeyPair::generate_for(kind.algorithm).expect("a key can be made");
        let params = kind.params(name);
        let certificate = params.self_signed(&key).expect("it can be signed");
        let issued = Issued {
            certificate: certificate.pem(),
            der: certificate.der().to_vec(),
            key: key.serialize_pem(),
        };
        Self { issued, issuer: Issuer::new(params, key) }
    }

    /// An authority that another one has signed.
    pub fn below(parent: &Self, name: &str, kind: &Kind) -> Self {
        let key = KeyPair::generate_for(kind.algorithm).expect("a key can be made");
        let params = kind.params(name);
        let certificate = params.signed_by(&key, &parent.issuer).expect("it can be signed");
        let issued = Issued {
            certificate: certificate.pem(),
            der: certificate.der().to_vec(),
            key: key.serialize_pem(),
        };
        Self { issued, issuer: Issuer::new(params, key) }
    }

    /// The certificate and the key of the authority itself.
    pub fn own(&self) -> &Issued {
        &self.issued
    }

    /// A certificate that it has signed.
    pub fn issue(&self, name: &str, kind: &Kind) -> Issued {
        Self::below(self, name, kind).issued
    }
}
