//! Choosing Clusters, as flags.

use std::collections::BTreeSet;

use clap::ArgGroup;
use transfer::{Choice, ClusterPattern, Wish};

use super::completion::values;
use super::names::label;

/// Flags that name namespaces.
#[derive(Debug, clap::Args)]
pub(super) struct NamespaceArgs {
    /// Namespace that the command is about; may be given several times [default: that of the
    /// context, or those that --cluster names].
    #[arg(help_heading = "Scope", long = "namespace", short, value_name = "NAMESPACE",
        value_parser = label,
        conflicts_with = "all_namespaces", add = values::namespaces())]
    namespace: Vec<String>,
    /// All namespaces.
    #[arg(help_heading = "Scope", long, short = 'A')]
    pub(super) all_namespaces: bool,
}

impl NamespaceArgs {
    /// The namespaces, each once.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.namespace.iter().cloned().collect()
    }
}

/// Flags that name Clusters.
#[derive(Debug, clap::Args)]
pub(super) struct NamesArgs {
    /// Only the Cluster of this name, with what belongs to it: NAME or NAMESPACE/NAME, or a shell
    /// pattern of names (`*`, `?`, `[a-z]`); may be given several times.
    #[arg(help_heading = "Scope", long = "cluster", value_name = "NAME", id = "cluster",
        add = values::clusters())]
    clusters: Vec<ClusterPattern>,
    /// Not the Cluster of this name, which may be a shell pattern too; may be given several times.
    #[arg(help_heading = "Scope", long, value_name = "NAME", add = values::clusters())]
    exclude: Vec<ClusterPattern>,
}

impl NamesArgs {
    /// Returns the choice that the flags ask for.
    pub(super) fn choice(self) -> Choice {
        let Self { clusters, exclude } = self;
        match clusters.is_empty() && exclude.is_empty() {
            true => Choice::All,
            false => Choice::Wanted(Wish { clusters, exclude, ..Wish::default() }),
        }
    }
}

/// Flags that choose Clusters of a management cluster.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("choosing").multiple(true).args(["cluster", "exclude", "selector"])))]
pub(super) struct ChoiceArgs {
    #[command(flatten)]
    names: NamesArgs,
    /// Only Clusters with these labels, as for kubectl.
    #[arg(help_heading = "Scope", long, short = 'l', value_name = "LABELS")]
    selector: Option<String>,
    /// Copy what the chosen Clusters share with others (ClusterClasses, templates, identities and
    /// their Secrets), and keep it in the source.
    #[arg(help_heading = "Scope", long, requires = "choosing")]
    copy_shared: bool,
}

impl ChoiceArgs {
    /// Returns the choice that the flags ask for.
    pub(super) fn choice(self) -> Choice {
        let (selector, copy_shared) = (self.selector, self.copy_shared);
        match self.names.choice() {
            Choice::Wanted(wish) => Choice::Wanted(Wish { selector, copy_shared, ..wish }),
            _ if selector.is_some() => {
                Choice::Wanted(Wish { selector, copy_shared, ..Wish::default() })
            }
            all => all,
        }
    }
}
