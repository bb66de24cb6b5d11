//! Both programs, and the servers that they meet.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubectl_pivot_tests::krew;
use kubectl_pivot_tests::program::{Outcome, Program};
use kubectl_pivot_tests::recorder::{Authority, Certificates, Issued, Kind, Recorder, Seen};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::shape::Shape;

/// Cases at once: most of a case is waiting for a process that starts or tries again.
const WORKERS: usize = 6;

/// Cases after which a long table says how far it is.
const TOLD_AFTER: usize = 250;

/// A name that only the proxies know.
pub(crate) const HIDDEN: &str = "api.example.invalid";

/// Servers and authorities; each worker has its own.
pub(crate) struct Bench {
    recorder: Recorder,
    place: TempDir,
    kubectl: PathBuf,
    pub(crate) authority: Authority,
    pub(crate) other: Authority,
    pub(crate) middle: Authority,
    pub(crate) expired: Authority,
    /// A server's certificate, with whose key others are signed.
    pub(crate) pinned: Authority,
    pub(crate) client: Issued,
    /// Ports and certificates of the servers, by name.
    pub(crate) servers: BTreeMap<&'static str, (u16, Option<Issued>)>,
    pub(crate) proxies: [u16; 2],
}

/// One program's way with a shape.
struct Contact {
    seen: Option<Seen>,
    outcome: Outcome,
}

impl Contact {
    /// Returns whether kubectl has asked on the terminal for a user and a password, which nobody
    /// types in here.
    fn asks_for_a_user(&self) -> bool {
        self.seen.is_none() && self.outcome.stderr.trim() == "error: EOF"
    }

    /// Returns whether nobody in particular has come, if anybody has. kubectl asks in spite of a
    /// login in the server's URL, which counts here; nothing else can be a login where it asks.
    fn is_of_nobody(&self) -> bool {
        self.seen.as_ref().is_none_or(|seen| {
            let login = seen.authorization.as_ref();
            seen.client.is_none() && login.is_none_or(|login| login.starts_with("Basic "))
        })
    }
}

/// Compares both programs over shapes.
pub(crate) async fn compare_all(
    table: &'static str,
    shapes: impl Fn(&Bench) -> Vec<Shape> + Clone + Send + Sync + 'static,
) {
    // Building the program blocks, and so would the servers while kubectl waits for them.
    drop(Program::kubectl_pivot(Path::new("/")));
    // Keys take long to make, and kubectl waits for no server for long.
    let mut benches = Vec::new();
    for _ in 0..WORKERS {
        benches.push(Bench::new().await);
    }
    let done = Arc::new(AtomicUsize::new(0));
    let workers = benches.into_iter().enumerate().map(|(worker, bench)| {
        let (shapes, done) = (shapes.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let (mut equal, mut problems) = (0, Vec::new());
            for shape in shapes(&bench).into_iter().skip(worker).step_by(WORKERS) {
                match bench.compare(&shape).await {
                    Ok(()) => equal += 1,
                    Err(problem) => {
                        tell(&problem);
                        problems.push(problem);
                    }
                }
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                if done.is_multiple_of(TOLD_AFTER) {
                    tell(&format!("{table}: {done} shapes compared"));
                }
            }
            (equal, problems)
        })
    });
    let (mut equal, mut problems) = (0, Vec::new());
    for worker in workers.collect::<Vec<_>>() {
        let (more, others) = worker.await.expect("a comparison does not panic");
        equal += more;
        problems.extend(others);
    }
    let all = equal + problems.len();
    tell(&format!("{table}: {equal} of {all} shapes as with kubectl"));
    assert!(problems.is_empty(), "{} of {all}:\n{}", problems.len(), problems.join("\n\n"));
}

#[expect(clippy::print_stdout, reason = "the count is the proof; cargo shows it with --nocapture")]
fn tell(line: &str) {
    println!("{line}");
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let authority = Authority::new("authority", &Kind::authority());
        let other = Authority::new("other", &Kind::authority());
        let middle = Authority::below(&authority, "middle", &Kind::authority());
        let expired = Authority::new("old", &Kind { is_expired: true, ..Kind::authority() });
        let pinned = Authority::new("pinned", &Kind::server(&["pinned.invalid"]));
        let client = authority.issue("me", &Kind::client());
        let place = tempfile::tempdir().expect("there is room for a folder");
        let kubectl = krew::kubectl(place.path()).await.path().to_owned();
        let mut bench = Self {
            recorder: Recorder::new(),
            place,
            kubectl,
            authority,
            other,
            middle,
            expired,
            pinned,
            client,
            servers: BTreeMap::new(),
            proxies: [0; 2],
        };
        bench.start_servers().await;
        bench.proxies = [bench.recorder.proxy("first").await, bench.recorder.proxy("second").await];
        let port = bench.servers["ordinary"].0;
        bench.recorder.name(HIDDEN, port);
        bench
    }

    async fn start_servers(&mut self) {
        let here: &[&str] = &["127.0.0.1", "localhost", HIDDEN, "*.wild.invalid"];
        let server = Kind::server(here);
        let as_authority = Kind { is_authority: true, ..server.clone() };
        let expired = Kind { is_expired: true, ..server.clone() };
        let alone = |kind: &Kind| Authority::new("alone", kind).own().clone();
        let p384 = Kind { algorithm: &rcgen::PKCS_ECDSA_P384_SHA384, ..server.clone() };
        let ed25519 = Kind { algorithm: &rcgen::PKCS_ED25519, ..server.clone() };
        let of_client = Kind { is_of_client: true, ..server.clone() };
        let elsewhere = Kind::server(&["elsewhere.invalid"]);
        let alone_elsewhere = Kind { is_authority: true, ..elsewhere.clone() };
        let (own, middle) = (&self.authority, &self.middle);
        let by_middle = middle.issue("server", &server);
        let kinds = [
            ("ordinary", own.issue("server", &server), vec![]),
            ("expired", own.issue("server", &expired), vec![]),
            ("elsewhere", own.issue("server", &elsewhere), vec![]),
            ("nameless", own.issue("127.0.0.1", &Kind::server(&[])), vec![]),
            ("of a client", own.issue("server", &of_client), vec![]),
            ("an authority", own.issue("server", &as_authority), vec![]),
            ("by a middle one", by_middle.clone(), vec![middle.own().clone()]),
            ("by a middle one, alone", by_middle, vec![]),
            ("by an expired one", self.expired.issue("server", &server), vec![]),
            ("by a pinned one", self.pinned.issue("server", &server), vec![]),
            ("an authority by a pinned one", self.pinned.issue("server", &as_authority), vec![]),
            ("self-signed", alone(&server), vec![]),
            ("self-signed authority", alone(&as_authority), vec![]),
            ("self-signed, expired", alone(&expired), vec![]),
            ("self-signed authority, elsewhere", alone(&alone_elsewhere), vec![]),
            ("self-signed of a client", alone(&of_client), vec![]),
            ("P-384", own.issue("server", &p384), vec![]),
            ("Ed25519", own.issue("server", &ed25519), vec![]),
        ];
        for (name, own, chain) in kinds {
            let certificates = Certificates { own: own.clone(), chain };
            let port = self.recorder.server(name, Some(&certificates)).await;
            self.servers.insert(name, (port, Some(own)));
        }
        let port = self.recorder.server("plain", None).await;
        self.servers.insert("plain", (port, None));
    }

    /// The ordinary server, with its authority.
    pub(crate) fn cluster(&self) -> Value {
        json!({
            "server": self.url("ordinary"),
            "certificate-authority-data": encoded(&self.authority.own().certificate),
        })
    }

    pub(crate) fn url(&self, server: &str) -> String {
        let scheme = if server == "plain" { "http" } else { "https" };
        format!("{scheme}://127.0.0.1:{}", self.servers[server].0)
    }

    /// Gives a shape to both programs, and says where they differ.
    pub(crate) async fn compare(&self, shape: &Shape) -> Result<(), String> {
        let folder = self.place.path().join("shape");
        write(&folder, shape);
        let kubectl = self.contact(shape, &folder, true).await?;
        let own = self.contact(shape, &folder, false).await?;
        fs::remove_dir_all(&folder).expect("the folder is ours");
        let is_as_stated = match shape.deviation {
            Some(_) => {
                let is_taken = kubectl.seen.is_some() || kubectl.asks_for_a_user();
                own.seen.is_none() && (is_taken || shape.is_refused_by_kubectl_too)
            }
            None if kubectl.asks_for_a_user() => own.is_of_nobody(),
            None => kubectl.seen == own.seen,
        };
        if own.outcome.code == Some(101) || own.outcome.stderr.contains("panicked") {
            return Err(format!("{}: a panic: {}", shape.name, own.outcome));
        }
        if is_as_stated {
            return Ok(());
        }
        let files = shape.kubeconfigs.iter().map(|name| {
            let found = shape.files.iter().find(|(file, _)| file == name);
            found.map(|(_, text)| String::from_utf8_lossy(text)).unwrap_or_default()
        });
        Err(format!(
            "{} {:?} {:?}\n{}\n  kubectl: {:?}\n    {}\n  here: {:?}\n    {}",
            shape.name,
            shape.context,
            shape.env,
            files.collect::<Vec<_>>().join("\n---\n"),
            kubectl.seen,
            kubectl.outcome.stderr.trim(),
            own.seen,
            own.outcome.stderr.trim()
        ))
    }

    /// Runs this program on a shape.
    pub(crate) async fn own_outcome(&self, shape: &Shape) -> Outcome {
        let folder = self.place.path().join("hint");
        write(&folder, shape);
        let contact = self.contact(shape, &folder, false).await.expect("one way");
        fs::remove_dir_all(&folder).expect("the folder is ours");
        contact.outcome
    }

    async fn contact(
        &self,
        shape: &Shape,
        folder: &Path,
        is_kubectl: bool,
    ) -> Result<Contact, String> {
        let home = self.place.path().join("home");
        let mut program = if is_kubectl {
            Program::new(&self.kubectl, &home)
        } else {
            Program::kubectl_pivot(&home)
        };
        for (name, value) in &shape.env {
            program = program.env(name, value);
        }
        let paths: Vec<_> =
            shape.kubeconfigs.iter().map(|name| folder.join(name).display().to_string()).collect();
        let mut args: Vec<String> = match is_kubectl {
            true => ["auth", "can-i", "get", "*", "-q", "--request-timeout=60s"]
                .map(str::to_owned)
                .to_vec(),
            false => vec![
                "backup".to_owned(),
                folder.join("backup").display().to_string(),
                "-q".to_owned(),
            ],
        };
        match &paths[..] {
            [path] => args.extend(["--kubeconfig".to_owned(), path.clone()]),
            paths => program = program.env("KUBECONFIG", &paths.join(":")),
        }
        if let Some(context) = &shape.context {
            let flag = if is_kubectl { "--context" } else { "--kubeconfig-context" };
            args.extend([flag.to_owned(), context.clone()]);
        }
        drop(self.recorder.take());
        let outcome = program.run(args).await;
        let seen =
            one(self.recorder.take()).map_err(|problem| format!("{}: {problem}", shape.name))?;
        Ok(Contact { seen, outcome })
    }
}

/// The one way on which all requests of a run came.
fn one(seen: Vec<Seen>) -> Result<Option<Seen>, String> {
    let namespace = seen.iter().find_map(|seen| seen.namespace.clone());
    let mut ways = seen.into_iter().map(|seen| Seen { namespace: namespace.clone(), ..seen });
    let Some(first) = ways.next() else { return Ok(None) };
    match ways.find(|way| *way != first) {
        Some(other) => Err(format!("one run came on two ways: {first:?}, {other:?}")),
        None => Ok(Some(first)),
    }
}

fn write(folder: &Path, shape: &Shape) {
    fs::create_dir_all(folder).expect("the place is ours");
    for (name, content) in &shape.files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("the place is ours");
        fs::write(&path, content).expect("the place is ours");
        if name.starts_with("plugin") {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        }
    }
}

pub(crate) fn encoded(text: &str) -> String {
    STANDARD.encode(text)
}
