//! Backups and restores of some Clusters, and the plan.

use std::sync::Arc;

use kubectl_pivot_tests::arena::Arena;
use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::proxy::Side;
use kubectl_pivot_tests::suite::Suite;
use serde_json::json;

use super::{Story, exit, with_three};

pub(crate) fn add(suite: Suite<Arena>) -> Suite<Arena> {
    suite
        .thorough("a_chosen_cluster_is_saved_and_restored_with_its_class", saved)
        .thorough("the_plan_shows_who_shares_what", planned)
}

impl Story {
    /// Runs a subcommand on one cluster.
    async fn run_on(&self, side: Side, command: &str, flags: &[&str]) -> Outcome {
        let kubeconfig = self.arena.kubeconfig(side);
        let mut args = vec![command, "--quiet", "--kubeconfig", &kubeconfig];
        args.extend(flags);
        self.arena.program().run(args).await
    }
}

async fn saved(arena: Arc<Arena>) {
    with_three(arena, |story| async move {
        let folder = story.arena.stage().folder(&story.tag);
        let [red, all] = ["red", "all"].map(|name| folder.join(name).display().to_string());
        let before = story.ends().await;
        let others = story.objects_of(&["blue", "green"]).await;
        story.arena.tape().begin_run();
        let flags = [&red, "-n", &story.tag, "--cluster", "red"];
        let saved = story.run_on(Side::Source, "backup", &flags);
        saved.await.expect_success("a backup of one cluster");
        story.check_untouched(&["blue", "green"], &others).await;
        before.check_put_back(&story.ends().await).unwrap_or_else(|text| panic!("{text}"));
        let flags = [&all, "-n", story.tag.as_str()];
        let saved = story.run_on(Side::Source, "backup", &flags);
        saved.await.expect_success("a backup of all");

        let restored = story.run_on(Side::Target, "restore", &[&red]).await;
        restored.expect_success("a restore of the one cluster");
        story.check_names("Cluster", &["red", "blue", "green"], &["red"]).await;
        let classes = ["common-class", "green-class", "unused-class"];
        story.check_names("ClusterClass", &classes, &["common-class"]).await;

        let typo = story.run_on(Side::Target, "restore", &[&all, "--cluster", "gren"]).await;
        assert_eq!(typo.code, Some(exit::REFUSED), "{typo}");
        assert!(typo.says("/green"), "{typo}");
        let restored = story.run_on(Side::Target, "restore", &[&all, "--cluster", "*/green"]).await;
        restored.expect_success("a restore of one of three clusters");
        story.check_names("Cluster", &["red", "blue", "green"], &["red", "green"]).await;
        story.check_names("ClusterClass", &classes, &["common-class", "green-class"]).await;
    })
    .await;
}

async fn planned(arena: Arc<Arena>) {
    with_three(arena, |story| async move {
        let flags = ["-n", story.tag.as_str(), "-o", "json"];
        let whole =
            story.run_on(Side::Source, "plan", &flags).await.expect_success("a plan").json();
        assert_eq!(whole["units"].as_array().map(Vec::len), Some(3), "{whole:#}");
        assert!(whole["units"].as_array().into_iter().flatten().all(|unit| {
            unit["clusters"].as_array().is_some_and(|clusters| clusters.len() == 1)
        }));
        let of_common = |plan: &serde_json::Value| {
            let mut shared = plan["shared"].as_array().cloned().unwrap_or_default().into_iter();
            shared.find(|shared| shared["objects"][0]["name"] == "common-class").expect("is told")
        };
        let in_tag = |name: &str| format!("{}/{name}", story.tag);
        let common = of_common(&whole);
        assert_eq!(common["objects"].as_array().map(Vec::len), Some(5), "{common:#}");
        assert_eq!(common["fate"], "moves", "{common:#}");
        let mut users = common["usedBy"].as_array().cloned().unwrap_or_default();
        users.sort_by_key(ToString::to_string);
        assert_eq!(json!(users), json!([in_tag("blue"), in_tag("red")]));

        let flags = ["-n", &story.tag, "--cluster", "red", "-o", "json"];
        let refused = story.run_on(Side::Source, "plan", &flags).await;
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        assert_eq!(refused.json()["findings"][0]["rule"], "SharedObject");
        let mut flags = vec!["-n", &story.tag, "--cluster", "red", "--copy-shared"];
        let tree = story.run_on(Side::Source, "plan", &flags).await.expect_success("a plan");
        for text in ["move  Cluster", "stay  Cluster", "copy  ClusterClass", "used by"] {
            assert!(tree.stdout.contains(text), "`{text}` is missing: {tree}");
        }
        flags.extend(["-o", "dot"]);
        let dot = story.run_on(Side::Source, "plan", &flags).await.expect_success("a plan").stdout;
        assert!(dot.starts_with("digraph plan {") && dot.contains(&in_tag("red")), "{dot}");
        let arrows = dot.lines().filter(|line| line.contains(" -> ")).count();
        assert_eq!(arrows, 3, "{dot}");
        flags.truncate(2);
        flags.extend(["-o", "yaml"]);
        let yaml = story.run_on(Side::Source, "plan", &flags).await.expect_success("a plan");
        assert!(yaml.stdout.contains("kind: MovePlan"), "{yaml}");
    })
    .await;
}
