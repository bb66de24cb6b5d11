//! `kubectl pivot rbac`.

use clap::ValueEnum;
use transfer::{Role, Subject};

use super::Context;
use super::clusters::ClusterArgs;
use super::completion::values;
use super::names::label;
use super::render::Output;
use crate::commands::{self, CommandError, RbacRequest, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # The roles in the source, bound to a user
  kubectl pivot rbac source -n team-a --user alice | kubectl apply -f -

  # The roles in the target for all namespaces, bound to a service account
  kubectl pivot rbac target -A --service-account ci/pivot --kubeconfig target.kubeconfig";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(mut_arg("kubeconfig", |arg| arg.help(
    "Kubeconfig of the management cluster, of somebody who may list its CRDs [default: \
     $KUBECONFIG, then ~/.kube/config]"
)))]
pub(super) struct Args {
    /// Role of the cluster: objects move away from the source, and into the target.
    #[arg(value_name = "ROLE")]
    role: RoleArg,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Namespace to move [default: that of the context].
    #[arg(long, short, value_name = "NAMESPACE", value_parser = label,
        conflicts_with = "all_namespaces", help_heading = "Scope", add = values::namespaces())]
    namespace: Option<String>,
    /// Move all namespaces.
    #[arg(long, short = 'A', help_heading = "Scope")]
    all_namespaces: bool,
    #[command(flatten)]
    subject: SubjectArgs,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
}

/// Ends of a move.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleArg {
    Source,
    Target,
}

/// Subject that gets the permissions; without one, roles have no bindings.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct SubjectArgs {
    /// User to bind the roles to.
    #[arg(long, value_name = "NAME", help_heading = "Subject")]
    user: Option<String>,
    /// Group to bind the roles to.
    #[arg(long, value_name = "NAME", help_heading = "Subject")]
    group: Option<String>,
    /// Service account to bind the roles to.
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = service_account,
        help_heading = "Subject")]
    service_account: Option<(String, String)>,
}

impl SubjectArgs {
    fn subject(self) -> Option<Subject> {
        let account = self.service_account;
        let account = account.map(|(namespace, name)| Subject::ServiceAccount { namespace, name });
        self.user.map(Subject::User).or(self.group.map(Subject::Group)).or(account)
    }
}

fn service_account(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
            Ok((namespace.to_owned(), name.to_owned()))
        }
        _ => Err("expected NAMESPACE/NAME".to_owned()),
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let request = RbacRequest {
        cluster: args.cluster.cluster(),
        role: match args.role {
            RoleArg::Source => Role::Source,
            RoleArg::Target => Role::Target,
        },
        namespace: args.namespace,
        all_namespaces: args.all_namespaces,
        subject: args.subject.subject(),
    };
    let roles = commands::rbac(&request).await?;
    context.progress.clear();
    render::print(&args.output.objects(&roles));
    Ok(exit::OK)
}
