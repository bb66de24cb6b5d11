//! The `kubectl-pivot` binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    kubectl_pivot::cli::run()
}
