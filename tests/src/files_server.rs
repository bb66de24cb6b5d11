//! A server of the files in a folder, as a place for releases is: GET over HTTP/1.1, nothing else.

use std::path::{Component, Path, PathBuf};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Serves until it is dropped.
#[derive(Debug)]
pub struct FilesServer {
    address: String,
    task: JoinHandle<()>,
}

impl FilesServer {
    /// Serves the files below `folder`, on a free port of loopback.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        let folder = folder.to_owned();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let folder = folder.clone();
                tokio::spawn(async move { answer(stream, &folder).await });
            }
        });
        Self { address, task }
    }

    /// The address of the folder, without a slash at its end.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for FilesServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A client that goes away gets no answer.
async fn answer(stream: TcpStream, folder: &Path) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut request = String::new();
    stream.read_line(&mut request).await?;
    let mut header = String::new();
    while stream.read_line(&mut header).await? > 2 {
        header.clear();
    }
    let found = request.split(' ').nth(1).and_then(|path| file(folder, path));
    let body = found.and_then(|path| std::fs::read(path).ok());
    let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
    let body = body.unwrap_or_default();
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}

/// Never a file outside of the folder.
fn file(folder: &Path, path: &str) -> Option<PathBuf> {
    let path = Path::new(path.strip_prefix('/')?);
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
    is_below.then(|| folder.join(path))
}
