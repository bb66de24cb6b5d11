//! Losses that a user accepts, as flags of the commands that move.

use transfer::{AcceptedLoss, KindSelector, MoveOptions};

/// Kinds for which a finding does not stop the move.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Safety")]
pub(super) struct AllowArgs {
    /// Continue although the source's garbage collector will delete objects of this kind, since
    /// their owners move and they do not: KIND or KIND.GROUP; can be given more than once, and with
    /// commas.
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    allow_collected: Vec<String>,
    /// Continue although objects of this kind cannot be listed, so that nobody knows whether the
    /// source's garbage collector will delete some: KIND, KIND.GROUP, *.GROUP or *; can be given
    /// more than once, and with commas.
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    allow_unlisted: Vec<String>,
    /// Continue although the source does not list Secrets that a KubeadmControlPlane needs to
    /// manage its cluster: certificates, keys, the kubeconfig.
    #[arg(long)]
    allow_missing_secrets: bool,
    #[command(flatten)]
    reserved: ReservedArgs,
    #[command(flatten)]
    loss: LossArgs,
}

/// Objects with which a source or a backup can get into the target itself.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Safety")]
pub(super) struct ReservedArgs {
    /// Continue although some objects are logins to a cluster itself (tokens of service accounts
    /// that nobody owns, bootstrap tokens), or are in a namespace of Kubernetes such as
    /// kube-system.
    #[arg(long)]
    allow_reserved: bool,
}

impl ReservedArgs {
    /// Sets this option.
    pub(super) fn apply(&self, options: &mut MoveOptions) {
        options.allow_reserved = self.allow_reserved;
    }
}

/// Fields that may get lost when the target stores other versions.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Safety")]
pub(super) struct LossArgs {
    /// Continue although the target converts objects of this kind to another version and does not
    /// keep this field, or what is in it: for example Machine.spec.failureDomain; can be given more
    /// than once, and with commas.
    #[arg(long, value_name = "KIND.PATH", value_delimiter = ',', value_parser = AcceptedLoss::new)]
    accept_loss: Vec<AcceptedLoss>,
}

impl LossArgs {
    /// Sets this option.
    pub(super) fn apply(&self, options: &mut MoveOptions) {
        options.accept_loss.clone_from(&self.accept_loss);
    }
}

impl AllowArgs {
    /// Sets these options.
    pub(super) fn apply(&self, options: &mut MoveOptions) {
        let selectors = |texts: &[String]| texts.iter().map(|t| KindSelector::new(t)).collect();
        options.allow_collected = selectors(&self.allow_collected);
        options.allow_unlisted = selectors(&self.allow_unlisted);
        self.reserved.apply(options);
        self.loss.apply(options);
        options.allow_missing_secrets = self.allow_missing_secrets;
    }
}
