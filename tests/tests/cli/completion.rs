//! Completion with the real kubectl and real shells.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::krew;
use kubectl_pivot_tests::program::{Outcome, Program};
use kubectl_pivot_tests::terminal::Terminal;
use tempfile::TempDir;

/// More than an answer may take, on a machine that has other work.
const LONGEST_ANSWER: Duration = Duration::from_secs(20);

/// A user with this program and a folder for others in `PATH`.
struct User {
    home: TempDir,
    pivot: Program,
}

impl User {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let bin = home.path().join("bin");
        fs::create_dir_all(&bin).expect("the home is ours");
        let built = Program::kubectl_pivot(home.path());
        let link = bin.join("kubectl-pivot");
        symlink(built.path(), &link).expect("the folder is ours");
        let user = Self { pivot: Program::new(&link, home.path()), home };
        let path = user.path();
        Self { pivot: user.pivot.env("PATH", &path), ..user }
    }

    fn bin(&self) -> PathBuf {
        self.home.path().join("bin")
    }

    fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.bin().display())
    }

    fn file(&self, name: &str, content: &str) -> String {
        let file = self.home.path().join(name);
        fs::write(&file, content).expect("the home is ours");
        file.display().to_string()
    }

    async fn kubectl(&self, args: &[&str]) -> Outcome {
        let kubectl = krew::kubectl(self.home.path()).await;
        kubectl.env("PATH", &self.path()).run(args).await
    }

    /// Asks as `kubectl_complete-pivot` does.
    async fn answer(&self, line: &[&str]) -> Outcome {
        self.pivot.run([&["__complete"], line].concat()).await
    }

    async fn shell(&self, program: &str) -> Program {
        Program::new(Path::new(program), self.home.path()).env("PATH", &self.path())
    }
}

/// A kubeconfig with the contexts `new` and `old`.
fn kubeconfig(server: &str, user: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Config, current-context: old, preferences: {{}},\nclusters: \
         [{{name: c, cluster: {{server: \"{server}\"}}}}], users: [{{name: u, user: \
         {user}}}],\ncontexts: [{{name: old, context: {{cluster: c, user: u}}}}, {{name: new, \
         context: {{cluster: c, user: u}}}}]}}"
    )
}

/// Values of the candidates, and the last line.
fn candidates(outcome: &Outcome) -> (Vec<String>, &str) {
    let mut lines: Vec<&str> = outcome.stdout.lines().collect();
    let directive = lines.pop().unwrap_or_default();
    let value = |line: &&str| line.split('\t').next().unwrap_or_default().to_owned();
    (lines.iter().map(value).collect(), directive)
}

#[tokio::test]
async fn kubectl_completes_commands_flags_and_values() {
    let user = User::new();
    let before = user.kubectl(&["__complete", "pivot", "mo"]).await;
    assert!(!before.stdout.contains("move"), "{before}");
    let install = user.pivot.run(["completion", "install", "--shell", "bash"]).await;
    let install = install.expect_success("completion install");
    assert!(install.says("kubectl_complete-pivot"), "{install}");

    let commands = user.kubectl(&["__complete", "pivot", ""]).await;
    for command in ["move\tMove Cluster API objects", "doctor\t", "completion\t"] {
        assert!(commands.stdout.contains(command), "{commands}");
    }
    assert!(!commands.stdout.contains("--progress"), "{commands}");
    let flags = user.kubectl(&["__complete", "pivot", "move", "--to-con"]).await;
    assert_eq!(candidates(&flags), (vec!["--to-context".to_owned()], ":4"), "{flags}");
    let rule = user.kubectl(&["__complete", "pivot", "explain", "ProviderO"]).await;
    assert_eq!(candidates(&rule).0, ["ProviderOlder"], "{rule}");
    let file = user.file("two.kubeconfig", &kubeconfig("https://127.0.0.1:9", "{}"));
    for flag in ["--context", "--kubeconfig-context"] {
        let line = ["__complete", "pivot", "move", "--kubeconfig", &file, flag, ""];
        let contexts = user.kubectl(&line).await;
        assert_eq!(candidates(&contexts), (vec!["new".to_owned(), "old".to_owned()], ":4"));
        assert_eq!(candidates(&user.kubectl(&[&line[..6], &["ne"]].concat()).await).0, ["new"]);
    }
    let line = ["__complete", "pivot", "status", "--to-kubeconfig", &file, "--to-context="];
    let contexts = user.kubectl(&line).await;
    assert_eq!(candidates(&contexts).0, ["--to-context=new", "--to-context=old"], "{contexts}");
}

#[tokio::test]
async fn completion_ends_in_time_and_prints_no_error() {
    let user = User::new();
    // A server that takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let silent = format!("https://{}", silent.local_addr().expect("bound"));
    let plugin = "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always, \
                  command: /bin/sh, args: [-c, 'echo log in >&2; read x; exec sleep 60']}}";
    for (name, content) in [
        ("silent", kubeconfig(&silent, "{}")),
        ("closed", kubeconfig("https://127.0.0.1:9", "{}")),
        ("asking", kubeconfig("https://127.0.0.1:9", plugin)),
        ("rubbish", "\t{".to_owned()),
    ] {
        let file = user.file(name, &content);
        for flag in ["-n", "--cluster"] {
            let start = Instant::now();
            let answer = user.answer(&["move", "--kubeconfig", &file, flag, ""]).await;
            assert!(start.elapsed() < LONGEST_ANSWER, "{name} {flag}: {:?}", start.elapsed());
            assert_eq!(answer.code, Some(exit::OK.into()), "{name} {flag}: {answer}");
            assert_eq!(
                (answer.stdout.as_str(), answer.stderr.as_str()),
                (":4\n", ""),
                "{name} {flag}"
            );
        }
    }
    for line in
        [&["move", "--kubeconfig", "/no/such/file", "--context", ""][..], &["nonsense", "x"]]
    {
        let answer = user.answer(line).await;
        assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), (":4\n", ""), "{line:?}");
    }
}

#[tokio::test]
async fn values_of_this_machine_are_completed() {
    let user = User::new();
    let run = user.home.path().join("state/kubectl-pivot/runs/pivot");
    fs::create_dir_all(&run).expect("the home is ours");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).expect("the home is ours");
    fs::write(run.join("pivot.yaml"), "{}").expect("the home is ours");
    let names = user.answer(&["resume", "pi"]).await;
    assert_eq!(candidates(&names).0, ["pivot"], "{names}");
    let folder = user.home.path().join("backup");
    fs::create_dir_all(&folder).expect("the home is ours");
    let typed = format!("{}/ba", user.home.path().display());
    let folders = user.answer(&["restore", &typed]).await;
    let expected = (vec![format!("{}/", folder.display())], ":6");
    assert_eq!(candidates(&folders), expected, "{folders}");
    let shells = user.answer(&["completion", ""]).await;
    assert_eq!(candidates(&shells).0, ["install", "help", "bash", "zsh", "fish", "powershell"]);
}

#[tokio::test]
async fn bash_completes_the_program_by_its_name() {
    let user = User::new();
    let mut bash = Terminal::start(&user.shell("bash").await, ["--norc", "--noprofile", "-i"]);
    bash.press(b"source <(kubectl-pivot completion bash) && echo rea''dy\n").await;
    bash.wait_for("ready\r").await;
    bash.press(b"kubectl-pivot expl\t").await;
    bash.wait_for("explain ").await;
    bash.press(b"ProviderOl\t").await;
    bash.wait_for("ProviderOlder ").await;
    bash.press(b"-o json | head -1; exit\n").await;
    let (code, screen) = bash.end().await;
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("\n{"), "{screen}");
}

/// These shells are on no machine of CI.
#[tokio::test]
#[ignore = "needs zsh and fish in /usr/bin"]
async fn zsh_and_fish_complete_the_program_by_its_name() {
    let user = User::new();
    for shell in ["zsh", "fish"] {
        let install = user.pivot.run(["completion", "install", "--shell", shell]).await;
        install.expect_success(shell);
    }
    let fish = user
        .shell("fish")
        .await
        .run(["-c", "complete -C 'kubectl-pivot explain ProviderOl'"])
        .await;
    assert!(fish.stdout.starts_with("ProviderOlder"), "{fish}");
    let folder = user.home.path().join(".local/share/zsh/site-functions");
    let mut zsh = Terminal::start(&user.shell("zsh").await, ["-f", "-i"]);
    let line = format!(
        "fpath=({} $fpath); autoload -U compinit; compinit -u; echo rea''dy\n",
        folder.display()
    );
    zsh.press(line.as_bytes()).await;
    zsh.wait_for("ready\r").await;
    zsh.press(b"kubectl-pivot explain ProviderOl\t").await;
    zsh.wait_for("ProviderOlder").await;
    zsh.press(b"\nexit\n").await;
    zsh.end().await;
}

#[tokio::test]
async fn install_writes_where_it_may_and_replaces_nothing_of_others() {
    let user = User::new();
    let install = ["completion", "install", "--shell", "fish", "-o", "json"];
    let installed = user.pivot.run(install).await.expect_success("completion install").json();
    let completer = user.bin().join("kubectl_complete-pivot");
    assert_eq!(installed["completer"], completer.display().to_string());
    let script = user.home.path().join("config/fish/completions/kubectl-pivot.fish");
    assert_eq!(installed["script"], script.display().to_string());
    assert!(fs::read_to_string(&script).expect("written").contains("complete "), "{installed}");

    user.pivot.run(install).await.expect_success("a second time");
    fs::write(&completer, "#!/bin/sh\necho mine\n").expect("the folder is ours");
    let refused = user.pivot.run(install).await;
    assert_eq!(refused.code, Some(exit::REFUSED.into()), "{refused}");
    assert!(refused.says("kubectl_complete-pivot is there already"), "{refused}");
    assert!(refused.says("hint: remove "), "{refused}");
    assert!(fs::read_to_string(&completer).expect("there").contains("mine"));

    let unknown = user.pivot.clone().env("SHELL", "/bin/dash").run(["completion", "install"]).await;
    assert_eq!(unknown.code, Some(exit::USAGE.into()), "{unknown}");
    let elsewhere = user.pivot.clone().env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/bash");
    let nowhere = user.home.path().join("nowhere");
    fs::write(&nowhere, "a file").expect("the home is ours");
    let nowhere = nowhere.display().to_string();
    let refused = elsewhere.run(["completion", "install", "--bin-dir", &nowhere]).await;
    assert_eq!(refused.code, Some(exit::REFUSED.into()), "{refused}");
    assert!(refused.says("cannot write ") && refused.says("--bin-dir DIR"), "{refused}");
}
