//! PEM as Go reads it: other blocks and text between them are passed over.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::certificate::Certificate;

/// The authorities of a bundle. One that cannot be read is left out, as in Go.
///
/// # Errors
/// When none is left.
pub(crate) fn authorities(bundle: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let found: Vec<Vec<u8>> = certificates(bundle)
        .filter(|certificate| Certificate::read(certificate).is_some())
        .map(|certificate| certificate.to_vec())
        .collect();
    if found.is_empty() {
        return Err(
            "its certificate authority has no certificate (a block `BEGIN CERTIFICATE`)".to_owned()
        );
    }
    Ok(found)
}

fn certificates(data: &[u8]) -> impl Iterator<Item = CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(data).filter_map(Result::ok)
}

/// A client certificate with its chain, and its key, with nothing else between them.
pub(crate) fn identity(certificate: &[u8], key: &[u8]) -> Result<(String, String), String> {
    let chain: Vec<String> =
        certificates(certificate).map(|der| block("CERTIFICATE", &der)).collect();
    if chain.is_empty() {
        return Err("its client certificate has no block `BEGIN CERTIFICATE`".to_owned());
    }
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|_| "its client key has no block `BEGIN PRIVATE KEY`".to_owned())?;
    let key = match &key {
        PrivateKeyDer::Pkcs1(key) => block("RSA PRIVATE KEY", key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(key) => block("EC PRIVATE KEY", key.secret_sec1_der()),
        PrivateKeyDer::Pkcs8(key) => block("PRIVATE KEY", key.secret_pkcs8_der()),
        _ => return Err("its client key is of an unknown kind".to_owned()),
    };
    Ok((chain.concat(), key))
}

fn block(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}
