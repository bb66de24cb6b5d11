//! Charts as their authors write them: files in folders, packed and indexed by the real helm, and a
//! server on loopback that gives them out.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::proxy::http::{self, Answer};

/// Packs a chart from the text of its files into `folder`, beside those that are there, and returns
/// the archive.
///
/// # Panics
/// When a file cannot be written, or helm refuses.
pub fn pack(
    helm: &Path,
    folder: &Path,
    (name, version): (&str, &str),
    files: &[(&str, &str)],
) -> PathBuf {
    let source = folder.join("source").join(format!("{name}-{version}")).join(name);
    let about = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    for (path, text) in files.iter().copied().chain([("Chart.yaml", about.as_str())]) {
        let path = source.join(path);
        fs::create_dir_all(path.parent().expect("it is in the chart")).expect("create folder");
        fs::write(path, text).expect("write");
    }
    run(Command::new(helm).arg("package").arg(&source).arg("--destination").arg(folder));
    let archive = folder.join(format!("{name}-{version}.tgz"));
    assert!(archive.exists(), "helm has not written {}", archive.display());
    archive
}

/// Makes a folder of archives a repository.
///
/// # Panics
/// When helm refuses.
pub fn index(helm: &Path, folder: &Path) {
    run(Command::new(helm).args(["repo", "index"]).arg(folder));
}

pub(crate) fn run(command: &mut Command) {
    let output = command.output().expect("helm is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Gives out the files of a folder on loopback until it is dropped.
pub struct FileServer {
    address: SocketAddr,
    listening: JoinHandle<()>,
}

impl FileServer {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("it has a port");
        let folder = folder.to_owned();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, folder.clone()));
            }
        });
        Self { address, listening }
    }

    /// The address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(stream: TcpStream, folder: PathBuf) {
    let mut stream = BufReader::new(stream);
    while let Ok(Some(request)) = http::read(&mut stream).await {
        let name = request.target.trim_start_matches('/');
        let file = Some(folder.join(name)).filter(|path| !name.contains("..") && path.is_file());
        let (status, body) = match file.map(fs::read) {
            Some(Ok(body)) => (200, body),
            _ => (404, Vec::new()),
        };
        let answer = Answer { status, headers: Vec::new(), body };
        if http::write(&mut stream, &answer).await.is_err() {
            return;
        }
    }
}
