//! The work of each subcommand, one file each. Commands return values; `render` prints them.

mod backup;
mod completion;
mod create;
mod delete;
mod demo;
mod doctor;
mod error;
mod explain;
mod kept;
mod move_clusters;
mod plugin;
mod prune;
mod rbac;
mod render;
mod replace;
mod sandbox;
mod sides;
mod status;

pub use backup::{FoundBackup, backup, backup_folder, list_backups, restore, verify_backup};
pub use completion::{
    ClusterName, CompletionError, CompletionRequest, InstalledCompletion, ShellScript,
    cluster_names, completer_of_kubectl, completion_install, namespace_names,
};
pub use create::{
    CreateRequest, CreateResumeRequest, PivotReport, PivotRuns, StepReport, create,
    create_leftovers, create_outline, create_resume, create_status, watch_create,
};
pub use delete::{DeleteReport, DeleteRequest, Deletion, delete_forget, delete_prepare};
pub use demo::{DemoOptions, DemoStage, demo};
pub use doctor::{
    CHECKS, ClusterctlConfigError, Diagnosis, DoctorRequest, Health, HealthCheck, doctor,
};
pub use error::{CommandError, exit};
pub use explain::{Explanation, explanations};
pub use move_clusters::{
    Directory, MoveRequest, connect, find_clusters_elsewhere, move_clusters, resume,
    resume_without_source, rollback, rollback_from_marks, rollback_without,
};
pub use plugin::{
    ArtifactChoice, ChangedPlugin, Language, NewPlugin, NewPluginError, NewPluginRequest,
    OutdatedPlugin, OutdatedPlugins, PackageRequest, PackagedPlugin, PluginCheck, PluginDetails,
    PluginList, PluginOffer, PluginPlaces, PluginProbe, PluginSummary, RenderedChecks, TrustWord,
    plugin_check, plugin_info, plugin_install, plugin_install_artifact, plugin_install_locked,
    plugin_list, plugin_new, plugin_outdated, plugin_package, plugin_registry,
    plugin_registry_in_part, plugin_remove, plugin_trust, plugin_upgrade,
};
pub use prune::{Keep, NotDeleted, Pruned, limit_backups, prune};
pub use rbac::{RbacRequest, rbac};
pub use render::{
    ManagementCluster, RenderError, RenderPart, RenderRequest, Rendered, render_manifests,
};
pub use replace::{ReplaceReport, ReplaceRequest, Replaced, delete_old, replace};
pub use sandbox::{
    ClusterRelease, SandboxUpRequest, sandbox_down, sandbox_list, sandbox_relay, sandbox_up,
};
pub use status::{
    ClusterStatus, PausedCluster, RunProgress, RunStatus, Status, status, watch_status,
};
