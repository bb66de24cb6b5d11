//! Calls of libraries, with a limit of time and away from standard output.
//!
//! A library runs in this process: nothing can end it. But nobody has to wait for it for ever, and
//! what it prints must not stand among the manifests that this program prints.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use kubectl_pivot_plugin_api::PluginError;

use super::call::Invoke;

/// Stack of a call, as that of a main thread.
const STACK_BYTES: usize = 8 << 20;
/// Descriptors of a copy begin above those of the standard streams.
const FIRST_FREE: i32 = 3;

/// Gives every call of `invoke` this time. A call that takes longer is left alone.
pub(super) fn within(
    limit: Duration,
    invoke: impl Fn(&str, &[u8]) -> Result<Vec<u8>, Vec<u8>> + Send + Sync + 'static,
) -> Box<Invoke> {
    let invoke = Arc::new(invoke);
    Box::new(move |method, request| {
        let _quiet = Quiet::begin();
        let (send, receive) = mpsc::channel();
        let (call, name, bytes) = (Arc::clone(&invoke), method.to_owned(), request.to_vec());
        let thread = std::thread::Builder::new().name("plugin".to_owned()).stack_size(STACK_BYTES);
        // Nobody listens any more to a call that took too long.
        let spawned = thread.spawn(move || drop(send.send(call(&name, &bytes))));
        match spawned.map_err(|error| error.to_string()).and_then(|_| {
            let waited = receive.recv_timeout(limit);
            waited.map_err(|_| format!("it gave no answer within {} s", limit.as_secs()))
        }) {
            Ok(answer) => answer,
            Err(why) => Err(refusal(&why)),
        }
    })
}

fn refusal(why: &str) -> Vec<u8> {
    let hint =
        "report this to the author of the plugin: a method only computes, and waits for nothing";
    serde_json::to_vec(&PluginError::internal(why).with_hint(hint)).unwrap_or_default()
}

/// Standard output leads to standard error until it is dropped.
struct Quiet {
    stdout: Option<OwnedFd>,
    _alone: MutexGuard<'static, ()>,
}

impl Quiet {
    fn begin() -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        // Where standard output is closed there is nothing to keep clean.
        let stdout = rustix::io::fcntl_dupfd_cloexec(std::io::stdout().as_fd(), FIRST_FREE).ok();
        let stdout = stdout.filter(|_| rustix::stdio::dup2_stdout(std::io::stderr()).is_ok());
        Self { stdout, _alone: alone }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(stdout) = &self.stdout {
            // The copy is open, so this cannot fail.
            let _ = rustix::stdio::dup2_stdout(stdout);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_call_that_never_ends_is_given_up() {
        let invoke = within(Duration::from_millis(200), |method: &str, request: &[u8]| {
            if method == "sleep" {
                std::thread::sleep(Duration::from_secs(600));
            }
            Ok(request.to_vec())
        });
        assert_eq!(invoke("echo", b"x"), Ok(b"x".to_vec()));
        let began = Instant::now();
        let error = invoke("sleep", b"").expect_err("it sleeps");
        assert!(began.elapsed() < Duration::from_secs(60));
        let error: PluginError = serde_json::from_slice(&error).expect("JSON");
        assert!(error.message.starts_with("it gave no answer within"), "{error}");
        assert_eq!(invoke("echo", b"y"), Ok(b"y".to_vec()), "others still answer");
    }
}
