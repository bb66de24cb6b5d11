//! A webhook that API servers ask whether a token is good (`TokenReview`). So a token can
//! expire in the middle of a test, for the API server as for the program.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::proxy::http::{Answer, read, write};

/// Answers until it is dropped.
pub struct Authenticator {
    task: JoinHandle<()>,
    folder: TempDir,
    good: Arc<Mutex<String>>,
}

impl Authenticator {
    /// Starts it, without a good token.
    ///
    /// # Panics
    /// When it cannot listen or write its files.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let port = listener.local_addr().expect("it is bound").port();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [{"name": "it",
                "cluster": {"server": format!("http://127.0.0.1:{port}/")}}],
            "users": [{"name": "it", "user": {}}],
        });
        let path = folder.path().join("webhook.kubeconfig");
        std::fs::write(path, config.to_string()).expect("the temporary folder is writable");
        let good = Arc::new(Mutex::new(String::new()));
        let task = tokio::spawn(serve(listener, Arc::clone(&good)));
        Self { task, folder, good }
    }

    /// The arguments with which an API server asks it, every time.
    pub fn apiserver_args(&self) -> [String; 3] {
        let config = self.folder.path().join("webhook.kubeconfig");
        [
            format!("--authentication-token-webhook-config-file={}", config.display()),
            "--authentication-token-webhook-version=v1".to_owned(),
            "--authentication-token-webhook-cache-ttl=1ms".to_owned(),
        ]
    }

    /// From now on only this token is good, for an administrator.
    pub fn accept_only(&self, token: &str) {
        token.clone_into(&mut self.good.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// An exec plugin that gives out what is in the file `token` beside it, and adds a line to the
    /// file `calls` each time.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn exec_plugin(folder: &Path) -> PathBuf {
        let path = folder.join("get-token");
        let credential = r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}"#;
        let script = format!(
            "#!/bin/sh\ncd '{}' || exit\necho >>calls\nprintf '{credential}' \"$(cat token)\"\n",
            folder.display()
        );
        std::fs::write(&path, script).expect("the folder is writable");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&path, mode).expect("the folder is ours");
        path
    }
}

impl Drop for Authenticator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, good: Arc<Mutex<String>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let good = Arc::clone(&good);
        tokio::spawn(async move {
            // A broken connection is the API server's to notice.
            let _ = answer(stream, &good).await;
        });
    }
}

async fn answer(stream: TcpStream, good: &Mutex<String>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await? {
        let review: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let is_good = {
            let good = good.lock().unwrap_or_else(PoisonError::into_inner);
            !good.is_empty() && review["spec"]["token"] == *good
        };
        let user = json!({"username": "mover", "groups": ["system:masters"]});
        let status = if is_good {
            json!({"authenticated": true, "user": user})
        } else {
            json!({"authenticated": false})
        };
        let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
            "status": status});
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let answer = Answer { status: 200, headers, body: body.to_string().into_bytes() };
        write(&mut stream, &answer).await?;
    }
    Ok(())
}
