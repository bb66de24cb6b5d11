//! A line in front of an API server: each byte takes half a round trip to pass it, in both
//! directions, and a connection takes a whole one.
//!
//! It forwards bytes and opens no TLS, so that all programs keep their own connections, versions of
//! HTTP and handshakes. Many bytes may be on their way at the same time, as on a real line.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

/// Parts of a direction that may be on their way at the same time.
const PARTS: usize = 4096;

/// Dropping it ends it.
pub(crate) struct DelayLine {
    address: SocketAddr,
    listening: JoinHandle<()>,
}

impl DelayLine {
    /// Starts one in front of the API server at a URL such as `https://127.0.0.1:6443`.
    pub(crate) async fn start(server: &str, round_trip: Duration) -> Self {
        let upstream = server.trim_start_matches("https://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // What goes wrong with a connection is for both ends to notice.
                tokio::spawn(connect(stream, upstream.clone(), round_trip));
            }
        });
        Self { address, listening }
    }

    /// Writes the kubeconfig of the API server so that it leads through the line. The name in its
    /// certificate is that of the loopback too.
    pub(crate) fn write_kubeconfig(&self, server: &str, from: &Path, to: PathBuf) -> PathBuf {
        let text = std::fs::read_to_string(from).expect("the sandbox writes a kubeconfig");
        assert!(text.contains(server), "{} does not name {server}", from.display());
        let text = text.replace(server, &format!("https://{}", self.address));
        std::fs::write(&to, text).expect("the folder is writable");
        to
    }
}

impl Drop for DelayLine {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn connect(client: TcpStream, upstream: String, round_trip: Duration) -> io::Result<()> {
    sleep(round_trip).await;
    let server = TcpStream::connect(upstream).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let way = round_trip / 2;
    tokio::try_join!(pass(from_client, to_server, way), pass(from_server, to_client, way))?;
    Ok(())
}

/// One direction, to its end.
async fn pass(
    mut from: impl AsyncRead + Unpin + Send + 'static,
    mut to: impl AsyncWrite + Unpin,
    way: Duration,
) -> io::Result<()> {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(PARTS);
    let reading = async move {
        let mut part = vec![0; 64 * 1024];
        loop {
            let length = from.read(&mut part).await?;
            let read = part.get(..length).unwrap_or_default().to_vec();
            if length == 0 || sender.send((Instant::now() + way, read)).await.is_err() {
                return io::Result::Ok(());
            }
        }
    };
    let writing = async move {
        while let Some((due, part)) = receiver.recv().await {
            sleep_until(due).await;
            to.write_all(&part).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(reading, writing)?;
    Ok(())
}
