//! JSON Schemas of the messages, for plugins in other languages.
//!
//! The schemas in `plugin-api/schemas/` are generated from the types; a test compares them.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, schema_for};

use crate::{
    Addons, AddonsRequest, BootstrapRequirements, ClusterRequest, CniChoice, CniInstall,
    CniRequest, Manifests, MoveKnowledge, MoveRequest, PluginError, PluginInfo, Probe,
    ProbesRequest, ProgramCall, ProgramReply, ProvidersToInit, Reach, Variable,
};

/// Every message, by the name of its file without `.json`.
pub fn schemas() -> BTreeMap<&'static str, Schema> {
    BTreeMap::from([
        ("addons", schema::<Addons>()),
        ("addons-request", schema::<AddonsRequest>()),
        ("bootstrap-requirements", schema::<BootstrapRequirements>()),
        ("cluster-request", schema::<ClusterRequest>()),
        ("cni-choice", schema::<CniChoice>()),
        ("cni-install", schema::<CniInstall>()),
        ("cni-request", schema::<CniRequest>()),
        ("manifests", schema::<Manifests>()),
        ("move-knowledge", schema::<MoveKnowledge>()),
        ("move-request", schema::<MoveRequest>()),
        ("plugin-error", schema::<PluginError>()),
        ("plugin-info", schema::<PluginInfo>()),
        ("probes", schema::<Vec<Probe>>()),
        ("probes-request", schema::<ProbesRequest>()),
        ("program-call", schema::<ProgramCall>()),
        ("program-reply", schema::<ProgramReply>()),
        ("providers-to-init", schema::<ProvidersToInit>()),
        ("reach", schema::<Reach>()),
        ("variables", schema::<Vec<Variable>>()),
    ])
}

fn schema<T: JsonSchema>() -> Schema {
    schema_for!(T)
}
