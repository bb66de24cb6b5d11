//! Options of the user, and clusters whose providers have no plugin.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use kubectl_pivot_plugin_api::Probe;
use kubectl_pivot_tests::plugins::{User, library};
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::suite::Suite;

use super::{Scenario, exit, outcomes};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .thorough("a_probe_can_be_left_out_and_the_report_says_so", left_out)
        .thorough("leaving_out_what_is_not_there_is_an_error", unknown)
        .thorough("a_provider_without_a_plugin_is_moved_and_the_report_says_so", without_plugin)
        .case("a_plugin_that_is_not_trusted_is_not_asked_and_the_report_says_so", untrusted)
        .thorough("a_plugin_that_answers_rubbish_is_not_asked_again", rubbish)
        .thorough("a_plugin_of_another_provider_is_not_asked", another_provider)
}

async fn left_out(proxied_pair: Arc<ProxiedPair>) {
    for name in ["controller", "probing", "probing/controller", "probing/controller, second"] {
        let scenario = Scenario::begin(Arc::clone(&proxied_pair)).await;
        let second = Probe { name: "second".to_owned(), min_objects: 0, ..scenario.probe() };
        // Neither would hold in ten minutes.
        let moved =
            scenario.run(&[scenario.probe(), second], &["--skip-probes", name, "-o", "json"]).await;
        let report = moved.clone().expect_success("the move").json();
        assert_eq!(outcomes(&report)[0], "controller skipped", "{moved}");
        let message = report["probes"]["results"][0]["message"].as_str().unwrap_or_default();
        assert!(message.starts_with("--skip-probes "), "{moved}");
        scenario.check_moved(&moved).await;
        scenario.end().await;
    }
}

async fn unknown(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    for flags in [&["--dry-run"][..], &[]] {
        let flags = [&["--skip-probes", "probing/controler"], flags].concat();
        let refused = scenario.run(&[scenario.probe()], &flags).await;
        assert_eq!(refused.code, Some(exit::USAGE), "{refused}");
        for part in ["`probing/controler`", "did you mean probing/controller"] {
            assert!(refused.stderr.contains(part), "`{part}` is not said: {refused}");
        }
        scenario.check_untouched(&refused).await;
    }
    scenario.end().await;
}

async fn without_plugin(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let program = scenario.proxied_pair.program();
    let moved = program.run(scenario.args(&["-o", "json"])).await.expect_success("the move");
    let report = moved.json();
    assert_eq!(outcomes(&report), Vec::<String>::new(), "{moved}");
    let unprobed = &report["probes"]["unprobed"];
    assert_eq!(unprobed[0]["provider"], "docker", "{moved}");
    assert_eq!(unprobed[0]["reason"], "no plugin for it is installed", "{moved}");
    scenario.check_moved(&moved).await;
    scenario.end().await;
}

async fn untrusted(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let name = kubectl_pivot_tests::plugins::file_name("docker");
    fs::copy(library("docker"), folder.path().join(&name)).expect("the folder is ours");
    let described = folder.path().join(name.replace(std::env::consts::DLL_SUFFIX, ".plugin.json"));
    let sidecar = r#"{"formatVersion": 1, "abiLevel": 1, "name": "docker", "kind": "infrastructure",
        "provider": "docker", "protocol": "1.0", "version": "1"}"#;
    fs::write(described, sidecar).expect("the folder is ours");
    let folder = folder.path().display().to_string();
    let flags = ["--plugin-dir", &folder, "-o", "json"];
    let moved = User::new().program().run(scenario.args(&flags)).await.expect_success("the move");
    let unprobed = &moved.json()["probes"]["unprobed"][0];
    assert_eq!(unprobed["plugin"], "docker", "{moved}");
    let reason = unprobed["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("is not trusted"), "{moved}");
    scenario.check_moved(&moved).await;
    scenario.end().await;
}

async fn rubbish(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let program = scenario.user.program().env("PROBING_PROBES", "{");
    let moved = program.run(scenario.args(&[])).await.expect_success("the move");
    let part = "none for the infrastructure provider docker: plugin probing: plugin `probing` \
                cannot answer `probes`";
    assert!(moved.stdout.contains(part), "{moved}");
    scenario.check_moved(&moved).await;
    scenario.end().await;
}

async fn another_provider(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let user = User::with(&["aws", "cilium"]).await;
    let moved = user.program().run(scenario.args(&["-o", "json"])).await.expect_success("the move");
    let report = moved.json();
    assert_eq!(
        report["probes"]["unprobed"][0]["reason"], "no plugin for it is installed",
        "{moved}"
    );
    scenario.check_moved(&moved).await;
    scenario.end().await;
}
