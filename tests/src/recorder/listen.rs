//! The servers: each on a port of its own, with a certificate or without TLS.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{
    DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme, crypto,
};

use super::authority::Issued;
use super::pipe;
use super::seen::Seen;
use crate::proxy::http::{Answer, Request, read, write};

/// The certificates that a server shows: its own and what it sends along.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The server's own, with the key.
    pub own: Issued,
    /// Those of authorities between it and a root.
    pub chain: Vec<Issued>,
}

/// Several servers and proxies that share a record. Dropping it ends them.
#[derive(Default)]
pub struct Recorder {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

/// State that the servers of a recorder share.
#[derive(Default)]
pub(super) struct Shared {
    seen: Mutex<Vec<Seen>>,
    /// Connections that a proxy has made, by the port they come from.
    proxied: Mutex<BTreeMap<u16, (String, Option<String>)>>,
    /// Names that only proxies know.
    names: Mutex<BTreeMap<String, SocketAddr>>,
}

impl Recorder {
    /// A recorder without servers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a server; without certificates it speaks plain HTTP. Returns its port.
    ///
    /// # Panics
    /// When there is no port, or the certificates are none.
    pub async fn server(&mut self, name: &str, certificates: Option<&Certificates>) -> u16 {
        let (listener, address) = bind().await;
        let acceptor =
            certificates.map(|certificates| TlsAcceptor::from(Arc::new(config(certificates))));
        let (shared, name) = (Arc::clone(&self.shared), name.to_owned());
        self.tasks.push(tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let (shared, name, acceptor) =
                    (Arc::clone(&shared), name.clone(), acceptor.clone());
                tokio::spawn(async move { serve(stream, peer, &name, acceptor, &shared).await });
            }
        }));
        address.port()
    }

    /// Starts a proxy that speaks HTTP and SOCKS5. Returns its port.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn proxy(&mut self, name: &str) -> u16 {
        let (listener, address) = bind().await;
        let (shared, name) = (Arc::clone(&self.shared), name.to_owned());
        self.tasks.push(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, name) = (Arc::clone(&shared), name.clone());
                tokio::spawn(async move { pipe::carry(stream, &name, &shared).await });
            }
        }));
        address.port()
    }

    /// Tells the proxies the port behind a name that nobody else knows.
    pub fn name(&self, host: &str, port: u16) {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        lock(&self.shared.names).insert(host.to_owned(), address);
    }

    /// Returns what has come since the last time, and forgets it.
    pub fn take(&self) -> Vec<Seen> {
        // Thousands of runs use the port of an ended connection again.
        lock(&self.shared.proxied).clear();
        std::mem::take(&mut *lock(&self.shared.seen))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Shared {
    /// Connects to where a client of a proxy wants to go, and notes whose connection it is.
    pub(super) async fn connect(
        &self,
        target: &str,
        proxy: (String, Option<String>),
    ) -> std::io::Result<TcpStream> {
        let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
        let known = lock(&self.names).get(host.trim_matches(['[', ']'])).copied();
        let stream = match known {
            Some(address) => TcpStream::connect(address).await?,
            None => TcpStream::connect(target).await?,
        };
        lock(&self.proxied).insert(stream.local_addr()?.port(), proxy);
        Ok(stream)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

/// A client that goes away, or that does not like the certificate, leaves no record.
async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    server: &str,
    acceptor: Option<TlsAcceptor>,
    shared: &Shared,
) {
    let Some(acceptor) = acceptor else {
        return answer_all(stream, peer, (server, None, None), shared).await;
    };
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let session = stream.get_ref().1;
    let sni = session.server_name().map(str::to_owned);
    let client = session.peer_certificates().and_then(|chain| chain.first());
    let client = client.map(|certificate| crate::recorder::pipe::digest(certificate));
    answer_all(stream, peer, (server, sni, client), shared).await;
}

async fn answer_all<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    peer: SocketAddr,
    (server, sni, client): (&str, Option<String>, Option<String>),
    shared: &Shared,
) {
    let mut stream = BufReader::new(stream);
    while let Ok(Some(request)) = read(&mut stream).await {
        // A proxy may know of its connection a moment later than the server.
        let proxy = lock(&shared.proxied).get(&peer.port()).cloned();
        lock(&shared.seen).push(Seen {
            server: server.to_owned(),
            sni: sni.clone(),
            client: client.clone(),
            proxy,
            ..Seen::of(&request)
        });
        if write(&mut stream, &answer(&request)).await.is_err() {
            return;
        }
    }
}

/// As much of an API server as makes a client go on to a request with a namespace.
fn answer(request: &Request) -> Answer {
    let (status, body) = match request.method.as_str() {
        "GET" if request.target.ends_with("/version") => {
            (200, r#"{"major": "1", "minor": "36", "gitVersion": "v1.36.3"}"#)
        }
        "GET" => (
            200,
            r#"{"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}"#,
        ),
        _ => (
            403,
            r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403}"#,
        ),
    };
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Answer { status, headers, body: body.as_bytes().to_vec() }
}

fn config(certificates: &Certificates) -> ServerConfig {
    let provider = Arc::new(crypto::ring::default_provider());
    let all = std::iter::once(&certificates.own).chain(&certificates.chain);
    let chain = all.map(|issued| CertificateDer::from(issued.der.clone())).collect();
    let key = PrivateKeyDer::from_pem_slice(certificates.own.key.as_bytes()).expect("a key");
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_client_cert_verifier(Arc::new(Anybody))
        .with_single_cert(chain, key)
        .expect("certificate and key fit")
}

/// Takes the certificate of every client, or none.
#[derive(Debug)]
struct Anybody;

impl ClientCertVerifier for Anybody {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
