//! The choice of other programs, as flags.

use std::ffi::OsString;

use tools::{KnownTool, Toolbox};

use super::Context;

/// Flags that name programs: paths, or names to look up in `PATH`.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Programs")]
pub(super) struct ToolArgs {
    /// kind to use [default: the one in PATH].
    #[arg(long, value_name = "PROGRAM", env = "KUBECTL_PIVOT_KIND", hide_env_values = true)]
    kind: Option<OsString>,
    /// clusterctl to use [default: the one in PATH].
    #[arg(long, value_name = "PROGRAM", env = "KUBECTL_PIVOT_CLUSTERCTL", hide_env_values = true)]
    clusterctl: Option<OsString>,
    /// helm to use [default: the one in PATH].
    #[arg(long, value_name = "PROGRAM", env = "KUBECTL_PIVOT_HELM", hide_env_values = true)]
    helm: Option<OsString>,
    /// docker to use [default: the one in PATH].
    #[arg(long, value_name = "PROGRAM", env = "KUBECTL_PIVOT_DOCKER", hide_env_values = true)]
    docker: Option<OsString>,
    /// kubectl to use [default: the one in PATH].
    #[arg(long, value_name = "PROGRAM", env = "KUBECTL_PIVOT_KUBECTL", hide_env_values = true)]
    kubectl: Option<OsString>,
}

impl ToolArgs {
    /// For a command that runs clusterctl and nothing else.
    pub(super) fn only_clusterctl(clusterctl: Option<OsString>) -> Self {
        Self { clusterctl, ..Self::default() }
    }

    /// The programs, ended by Ctrl-C.
    pub(super) fn toolbox(self, context: &Context) -> Toolbox {
        let given = [
            (KnownTool::Kind, self.kind),
            (KnownTool::Clusterctl, self.clusterctl),
            (KnownTool::Helm, self.helm),
            (KnownTool::Docker, self.docker),
            (KnownTool::Kubectl, self.kubectl),
        ];
        // An empty variable is as good as none.
        let given = given.into_iter().filter_map(|(tool, program)| {
            Some((tool, program.filter(|program| !program.is_empty())?.into()))
        });
        Toolbox {
            given: given.collect(),
            stop: context.stop.token().clone(),
            events: context.progress.events(),
            ..Toolbox::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command};

    use super::*;

    #[test]
    fn flags_and_variables_are_those_that_errors_name() {
        let command = ToolArgs::augment_args(Command::new("test"));
        for tool in KnownTool::ALL {
            let flag = command.get_arguments().find(|flag| flag.get_long() == Some(tool.name()));
            let flag = flag.unwrap_or_else(|| panic!("there is no flag for {tool}"));
            assert_eq!(flag.get_env(), Some(tool.variable().as_ref()), "{tool}");
        }
    }
}
