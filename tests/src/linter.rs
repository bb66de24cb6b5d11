//! The real actionlint, which knows the syntax of workflows, their expressions, actions and
//! runners.

use std::path::Path;

use sandbox::{GoSum, PinnedProgram, Wrapper};
use support::causes::in_one_line;
use support::journal::Events;

use crate::parts;
use crate::program::Program;

const ACTIONLINT: PinnedProgram = PinnedProgram {
    wrapper: Wrapper {
        go_mod: include_str!("../modules/actionlint/go.mod"),
        go_sum: GoSum::Plain(include_str!("../modules/actionlint/go.sum")),
        tools_go: include_str!("../modules/actionlint/tools.go"),
    },
    module: "github.com/rhysd/actionlint",
    package: "github.com/rhysd/actionlint/cmd/actionlint",
    name: "actionlint",
    version_package: None,
    duration: "half a minute",
};

/// Checks workflows.
///
/// # Panics
/// When it cannot be built.
pub async fn actionlint(home: &Path) -> Program {
    let built = ACTIONLINT.resolve(&parts::options(), &Events::none()).await;
    let path = built.unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()));
    Program::new(&path, home)
}
