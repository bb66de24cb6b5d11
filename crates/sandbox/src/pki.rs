//! Throw-away certificates: authorities, server and client certificates, signing keys.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// A certificate with its private key, both as PEM.
pub(super) struct Identity {
    pub(super) cert: String,
    pub(super) key: String,
}

/// A certificate authority that lives in memory only.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// Makes a new authority; `name` is its common name.
    pub(super) fn new(name: &str) -> Result<Self, rcgen::Error> {
        let mut params = params(name, None)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// The authority's certificate as PEM.
    pub(super) fn cert(&self) -> String {
        self.0.pem()
    }

    /// The authority's certificate as DER.
    pub(super) fn der(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    /// A certificate for a server on loopback, which etcd also uses as a client of itself.
    pub(super) fn server(&self, name: &str) -> Result<Identity, rcgen::Error> {
        let mut params =
            CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        identify(&mut params, name, None);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params)
    }

    /// A client certificate: Kubernetes takes the common name as the user, the organisation as the
    /// group. One group at most, as the certificate library keeps one organisation per name.
    pub(super) fn client(&self, user: &str, group: Option<&str>) -> Result<Identity, rcgen::Error> {
        let mut params = params(user, group)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params)
    }

    fn issue(&self, mut params: CertificateParams) -> Result<Identity, rcgen::Error> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let cert = params.signed_by(&key, &self.0)?;
        Ok(Identity { cert: cert.pem(), key: key.serialize_pem() })
    }
}

/// Private and public key as PEM, for signing and checking service account tokens.
pub(super) fn signing_keys() -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    Ok((key.serialize_pem(), key.public_key_pem()))
}

fn params(name: &str, group: Option<&str>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    identify(&mut params, name, group);
    Ok(params)
}

fn identify(params: &mut CertificateParams, name: &str, group: Option<&str>) {
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    params.distinguished_name.push(DnType::CommonName, name);
    // A day back for clocks that differ; a year ahead, since some platforms refuse server
    // certificates that live longer than 825 days.
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let yesterday = today.yesterday().unwrap_or(today);
    let (year, month, day) = (i32::from(yesterday.year()), yesterday.month(), yesterday.day());
    params.not_before = date_time_ymd(year, month.unsigned_abs(), day.unsigned_abs());
    // 28, as the 29th of February has no counterpart in the next year.
    params.not_after = date_time_ymd(year + 1, month.unsigned_abs(), day.unsigned_abs().min(28));
}
