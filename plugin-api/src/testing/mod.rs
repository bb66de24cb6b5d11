//! Conformance kit: what every plugin must do, checked through the same bytes that the host sends.
//!
//! Authors call [`assert_infrastructure`] or [`assert_cni`] in `cargo test`; the host runs
//! [`check`] on a library that it has loaded. Nothing here needs a cluster.

mod cni;
mod common;
mod infrastructure;
mod samples;

use common::{Caller, Findings};

use crate::dispatch;
use crate::error::PluginError;
use crate::info::{PluginInfo, PluginKind};
use crate::protocol::method;
use crate::provider::{CniProvider, InfrastructureProvider};

/// Calls a plugin: method and request in, answer or error out.
pub type Invoke<'a> = dyn Fn(&str, &[u8]) -> Result<Vec<u8>, PluginError> + 'a;

/// Checks that failed, each as one sentence; empty means that the plugin conforms.
pub fn check(invoke: &Invoke<'_>) -> Vec<String> {
    let caller = Caller::new(invoke);
    let mut findings = Findings::default();
    let Some(info) = caller.get::<PluginInfo>(&mut findings, method::INFO, &serde_json::json!({}))
    else {
        return findings.into_vec();
    };
    common::check_info(&info, &mut findings);
    common::check_robustness(&caller, &mut findings);
    let variables = common::check_variables(&caller, &mut findings);
    match info.kind {
        PluginKind::Infrastructure => {
            infrastructure::check(&caller, &info, &variables, &mut findings);
        }
        PluginKind::Cni => cni::check(&caller, &variables, &mut findings),
        PluginKind::Unknown => findings.add("`info` does not say what kind of plugin it is"),
    }
    findings.into_vec()
}

/// Fails the test with everything that is wrong with an infrastructure plugin.
///
/// # Panics
/// If the plugin does not conform.
pub fn assert_infrastructure(plugin: &dyn InfrastructureProvider) {
    report(&check(&|method, request| dispatch::infrastructure(plugin, method, request)));
}

/// Fails the test with everything that is wrong with a CNI plugin.
///
/// # Panics
/// If the plugin does not conform.
pub fn assert_cni(plugin: &dyn CniProvider) {
    report(&check(&|method, request| dispatch::cni(plugin, method, request)));
}

fn report(findings: &[String]) {
    assert!(findings.is_empty(), "the plugin does not conform:\n- {}", findings.join("\n- "));
}
