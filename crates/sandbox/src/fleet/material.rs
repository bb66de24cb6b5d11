//! Random bytes in the shape of keys, certificates and tokens. Nothing here is valid, and nothing
//! opens anything.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;

/// Bytes of the DER encodings that kubeadm's tools produce with RSA 2048.
const CERTIFICATE: usize = 770;
const PRIVATE_KEY: usize = 1192;
const PUBLIC_KEY: usize = 294;

/// Contents of `tls.crt` and `tls.key` of a cluster's secret.
#[derive(Clone, Debug)]
pub(super) struct KeyPair {
    pub(super) certificate: String,
    pub(super) key: String,
}

/// The material of one cluster.
#[derive(Clone, Debug)]
pub(super) struct Material {
    pub(super) ca: KeyPair,
    pub(super) etcd: KeyPair,
    pub(super) service_account: KeyPair,
    pub(super) front_proxy: KeyPair,
    pub(super) ca_hash: String,
    /// Bootstrap tokens of the workers, in their order.
    pub(super) tokens: Vec<String>,
}

impl Material {
    /// For a cluster with that many workers.
    pub(super) fn generate(workers: usize) -> Self {
        Self {
            ca: authority(),
            etcd: authority(),
            service_account: KeyPair {
                certificate: pem("PUBLIC KEY", PUBLIC_KEY),
                key: pem("RSA PRIVATE KEY", PRIVATE_KEY),
            },
            front_proxy: authority(),
            ca_hash: format!("sha256:{}", random_text(64, b"0123456789abcdef")),
            tokens: (0..workers).map(|_| bootstrap_token()).collect(),
        }
    }

    /// A kubeconfig as the control plane provider writes it.
    pub(super) fn kubeconfig(&self, cluster: &str, endpoint: &str) -> String {
        let client = authority();
        format!(
            "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {ca}\n    \
             server: https://{endpoint}\n  name: {cluster}\ncontexts:\n- context:\n    cluster: \
             {cluster}\n    user: {cluster}-admin\n  name: \
             {cluster}-admin@{cluster}\ncurrent-context: {cluster}-admin@{cluster}\nkind: \
             Config\nusers:\n- name: {cluster}-admin\n  user:\n    client-certificate-data: \
             {certificate}\n    client-key-data: {key}\n",
            ca = STANDARD.encode(&self.ca.certificate),
            certificate = STANDARD.encode(&client.certificate),
            key = STANDARD.encode(&client.key),
        )
    }
}

/// A bootstrap token in kubeadm's form.
fn bootstrap_token() -> String {
    let alphabet = b"abcdefghijklmnopqrstuvwxyz0123456789";
    format!("{}.{}", random_text(6, alphabet), random_text(16, alphabet))
}

fn authority() -> KeyPair {
    KeyPair {
        certificate: pem("CERTIFICATE", CERTIFICATE),
        key: pem("RSA PRIVATE KEY", PRIVATE_KEY),
    }
}

fn pem(label: &str, length: usize) -> String {
    let mut bytes = vec![0; length];
    rand::rng().fill(&mut bytes[..]);
    let encoded = STANDARD.encode(bytes);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

fn random_text(length: usize, alphabet: &[u8]) -> String {
    let mut random = rand::rng();
    (0..length).map(|_| char::from(alphabet[random.random_range(0..alphabet.len())])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn material_has_the_size_of_the_real_thing_and_differs_each_time() {
        let (one, other) = (Material::generate(2), Material::generate(2));
        assert!((1000..1200).contains(&one.ca.certificate.len()));
        assert!((1600..1800).contains(&one.ca.key.len()));
        assert_ne!(one.ca.key, other.ca.key);
        assert_ne!(one.tokens[0], one.tokens[1]);
        let kubeconfig = one.kubeconfig("c0", "172.18.0.2:6443");
        assert!((4000..8000).contains(&kubeconfig.len()), "{}", kubeconfig.len());
        assert!(kubeconfig.contains("\n    server: https://172.18.0.2:6443\n"));
    }
}
