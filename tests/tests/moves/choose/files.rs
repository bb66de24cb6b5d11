//! Backups and restores of some Clusters, and the plan.

use std::sync::Arc;

use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::Side;
use kubectl_pivot_tests::suite::Suite;
use serde_json::json;

use super::{Scenario, exit, with_three};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .thorough("a_chosen_cluster_is_saved_and_restored_with_its_class", saved)
        .thorough("the_plan_shows_who_shares_what", planned)
}

impl Scenario {
    /// Runs a subcommand on one cluster.
    async fn run_on(&self, side: Side, command: &str, flags: &[&str]) -> Outcome {
        let kubeconfig = self.proxied_pair.kubeconfig(side);
        let mut args = vec![command, "--quiet", "--kubeconfig", &kubeconfig];
        args.extend(flags);
        self.proxied_pair.program().run(args).await
    }
}

async fn saved(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let folder = scenario.proxied_pair.fixture().folder(&scenario.tag);
        let [red, all] = ["red", "all"].map(|name| folder.join(name).display().to_string());
        let before = scenario.ends().await;
        let others = scenario.objects_of(&["blue", "green"]).await;
        scenario.proxied_pair.traffic().begin_run();
        let flags = [&red, "-n", &scenario.tag, "--cluster", "red"];
        let saved = scenario.run_on(Side::Source, "backup", &flags);
        saved.await.expect_success("a backup of one cluster");
        scenario.check_untouched(&["blue", "green"], &others).await;
        before.check_put_back(&scenario.ends().await).unwrap_or_else(|text| panic!("{text}"));
        let flags = [&all, "-n", scenario.tag.as_str()];
        let saved = scenario.run_on(Side::Source, "backup", &flags);
        saved.await.expect_success("a backup of all");

        let restored = scenario.run_on(Side::Target, "restore", &[&red]).await;
        restored.expect_success("a restore of the one cluster");
        scenario.check_names("Cluster", &["red", "blue", "green"], &["red"]).await;
        let classes = ["common-class", "green-class", "unused-class"];
        scenario.check_names("ClusterClass", &classes, &["common-class"]).await;

        let typo = scenario.run_on(Side::Target, "restore", &[&all, "--cluster", "gren"]).await;
        assert_eq!(typo.code, Some(exit::REFUSED), "{typo}");
        assert!(typo.says("/green"), "{typo}");
        let restored =
            scenario.run_on(Side::Target, "restore", &[&all, "--cluster", "*/green"]).await;
        restored.expect_success("a restore of one of three clusters");
        scenario.check_names("Cluster", &["red", "blue", "green"], &["red", "green"]).await;
        scenario.check_names("ClusterClass", &classes, &["common-class", "green-class"]).await;
    })
    .await;
}

async fn planned(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let flags = ["-n", scenario.tag.as_str(), "-o", "json"];
        let whole =
            scenario.run_on(Side::Source, "plan", &flags).await.expect_success("a plan").json();
        assert_eq!(whole["units"].as_array().map(Vec::len), Some(3), "{whole:#}");
        assert!(whole["units"].as_array().into_iter().flatten().all(|unit| {
            unit["clusters"].as_array().is_some_and(|clusters| clusters.len() == 1)
        }));
        let of_common = |plan: &serde_json::Value| {
            let mut shared = plan["shared"].as_array().cloned().unwrap_or_default().into_iter();
            shared.find(|shared| shared["objects"][0]["name"] == "common-class").expect("is told")
        };
        let in_tag = |name: &str| format!("{}/{name}", scenario.tag);
        let common = of_common(&whole);
        assert_eq!(common["objects"].as_array().map(Vec::len), Some(5), "{common:#}");
        assert_eq!(common["fate"], "moves", "{common:#}");
        let mut users = common["usedBy"].as_array().cloned().unwrap_or_default();
        users.sort_by_key(ToString::to_string);
        assert_eq!(json!(users), json!([in_tag("blue"), in_tag("red")]));

        let flags = ["-n", &scenario.tag, "--cluster", "red", "-o", "json"];
        let refused = scenario.run_on(Side::Source, "plan", &flags).await;
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        assert_eq!(refused.json()["findings"][0]["rule"], "SharedObject");
        let mut flags = vec!["-n", &scenario.tag, "--cluster", "red", "--copy-shared"];
        let tree = scenario.run_on(Side::Source, "plan", &flags).await.expect_success("a plan");
        for text in ["move  Cluster", "stay  Cluster", "copy  ClusterClass", "used by"] {
            assert!(tree.stdout.contains(text), "`{text}` is missing: {tree}");
        }
        flags.extend(["-o", "dot"]);
        let dot =
            scenario.run_on(Side::Source, "plan", &flags).await.expect_success("a plan").stdout;
        assert!(dot.starts_with("digraph plan {") && dot.contains(&in_tag("red")), "{dot}");
        let arrows = dot.lines().filter(|line| line.contains(" -> ")).count();
        assert_eq!(arrows, 3, "{dot}");
        flags.truncate(2);
        flags.extend(["-o", "yaml"]);
        let yaml = scenario.run_on(Side::Source, "plan", &flags).await.expect_success("a plan");
        assert!(yaml.stdout.contains("kind: MovePlan"), "{yaml}");
    })
    .await;
}
