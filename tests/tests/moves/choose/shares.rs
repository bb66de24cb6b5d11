//! Objects that chosen Clusters share with others, and the move of a choice of everything.

use std::sync::Arc;

use kubectl_pivot_tests::population::{ObjectSpec, Population, class, crds, resource_set};
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::suite::Suite;

use super::{exit, with_population, with_three};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .case("a_class_of_both_sides_is_refused_then_copied_and_the_rest_follows", shared_class)
        .thorough("a_class_that_only_chosen_clusters_use_moves_with_them", own_class)
        .thorough("a_choice_of_all_clusters_is_a_plain_move_but_for_what_nobody_uses", all)
        .thorough("a_secret_that_nobody_is_known_to_use_is_not_left_behind_silently", unknown_user)
        .thorough("a_set_that_has_clusters_on_both_sides_works_on_each", shared_set)
}

async fn shared_class(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let clusters = ["red", "blue", "green"];
        let untouched = scenario.objects_of(&clusters).await;
        let refused = scenario.run_move(&["--cluster", "red"]).await;
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        let names = ["ClusterClass", "common-class", "/red", "/blue", "--copy-shared"];
        for text in names {
            assert!(refused.says(text), "`{text}` is not named: {refused}");
        }
        assert_eq!(before, scenario.ends().await);
        scenario.check_untouched(&clusters, &untouched).await;

        let blue_and_green = scenario.objects_of(&["blue", "green"]).await;
        let moved = scenario.run_move(&["--cluster", "red", "--copy-shared", "-o", "json"]).await;
        let report = moved.expect_success("a move of one cluster").json();
        scenario.check_untouched(&["blue", "green"], &blue_and_green).await;
        scenario.check_nothing_left().await;
        scenario.check_names("Cluster", &["blue", "green"], &["red"]).await;
        let classes = ["common-class", "green-class", "unused-class"];
        scenario.check_names("ClusterClass", &classes, &["common-class"]).await;
        scenario.check_names("DockerMachineTemplate", &classes, &["common-class"]).await;
        assert_eq!(report["clusters"], 1, "{report:#}");
        assert_eq!(report["chosen"], serde_json::json!([format!("{}/red", scenario.tag)]));
        let verify = |name: &'static str| {
            let scenario = scenario.clone();
            let tag = scenario.tag.clone();
            async move {
                scenario.run("verify", &["-n", &tag, "--cluster", name, "--settle", "0"]).await
            }
        };
        // There are no controllers that would report the copies as provisioned.
        let red = verify("red").await;
        assert!(red.says("✔ nothing of what moves is left in the source"), "{red}");
        assert!(red.says("✔ the target has Clusters"), "{red}");
        let blue = verify("blue").await;
        assert_eq!(blue.code, Some(exit::NOT_VERIFIED), "{blue}");
        assert!(blue.says("/blue is not there"), "{blue}");
        let kept = report["kept"].as_array().cloned().unwrap_or_default();
        assert_eq!(kept.len(), 5, "a class with four templates is kept: {kept:#?}");
        // What is kept is as it was.
        let after = scenario.ends().await;
        for kind in
            ["ClusterClass.cluster.x-k8s.io", "KubeadmConfigTemplate.bootstrap.cluster.x-k8s.io"]
        {
            let name = format!("{kind} TAG/common-class");
            assert!(after.source.get(&name).is_some(), "{name}");
            assert_eq!(before.source.get(&name), after.source.get(&name));
        }

        scenario.run_move(&[]).await.expect_success("a move of the rest");
        scenario.check_nothing_left().await;
        scenario.check_names("Cluster", &[], &["red", "blue", "green"]).await;
        scenario.check_names("ClusterClass", &[], &classes).await;
        scenario
            .check_names("Secret", &[], &["red-kubeconfig", "blue-kubeconfig", "green-kubeconfig"])
            .await;
        let end = scenario.ends().await;
        assert!(end.source.payload().is_empty(), "{:?}", end.source.payload());
        assert_eq!(before.source.payload(), end.target.payload());
    })
    .await;
}

async fn own_class(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let others = scenario.objects_of(&["green"]).await;
        let flags = ["-n", "default", "--cluster", "[rb]*", "--exclude", "green"];
        let outcome = scenario.run_move(&flags).await;
        outcome.expect_success("a move of two clusters");
        scenario.check_untouched(&["green"], &others).await;
        scenario.check_nothing_left().await;
        scenario.check_names("Cluster", &["green"], &["red", "blue"]).await;
        scenario
            .check_names("ClusterClass", &["green-class", "unused-class"], &["common-class"])
            .await;
    })
    .await;
}

async fn all(proxied_pair: Arc<ProxiedPair>) {
    let mut plain = None;
    let slot = &mut plain;
    with_three(Arc::clone(&proxied_pair), |scenario| async move {
        scenario.run_move(&[]).await.expect_success("a plain move");
        *slot = Some(scenario.ends().await);
    })
    .await;
    let plain = plain.expect("the first scenario has ended");
    with_three(proxied_pair, |scenario| async move {
        scenario.run_move(&["--cluster", "*"]).await.expect_success("a move of all clusters");
        scenario.check_nothing_left().await;
        let chosen = scenario.ends().await;
        let is_used = |name: &&String| !name.contains("unused-class");
        let of_plain = plain.target.0.keys().filter(is_used).collect::<Vec<_>>();
        assert_eq!(of_plain, chosen.target.0.keys().collect::<Vec<_>>());
        for (name, object) in &chosen.target.0 {
            assert_eq!(Some(object), plain.target.get(name), "{name}");
        }
        let left = chosen.source.payload();
        assert!(left.iter().all(|name| name.contains("unused-class")), "{left:?}");
        assert_eq!(left.len(), 5, "{left:?}");
    })
    .await;
}

fn with_login(namespace: &str) -> Population {
    let mut population = class::choosable(namespace);
    population.add(ObjectSpec::cluster_secret("login").label(crds::MOVE, ""));
    population
}

async fn unknown_user(proxied_pair: Arc<ProxiedPair>) {
    with_population(proxied_pair, with_login, |scenario| async move {
        let others = scenario.objects_of(&["red", "blue"]).await;
        let refused = scenario.run_move(&["--cluster", "green"]).await;
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        for text in ["SharedObject", "/login", "nobody is known to use it", "--copy-shared"] {
            assert!(refused.says(text), "`{text}` is not said: {refused}");
        }
        let moved = scenario.run_move(&["--cluster", "green", "--copy-shared"]).await;
        moved.expect_success("a move of one cluster");
        scenario.check_untouched(&["red", "blue"], &others).await;
        scenario.check_nothing_left().await;
        let left = ["blue-kubeconfig", "login", "red-kubeconfig"];
        scenario.check_names("Secret", &left, &["green-kubeconfig", "login"]).await;
        let moved = scenario.run_move(&["--cluster", "*"]).await;
        moved.expect_success("a move of all that are left");
        scenario.check_names("Secret", &[], &[&left[..], &["green-kubeconfig"]].concat()).await;
    })
    .await;
}

async fn shared_set(proxied_pair: Arc<ProxiedPair>) {
    with_population(proxied_pair, resource_set::population, |scenario| async move {
        let before = scenario.ends().await;
        let others = scenario.objects_of(&["addon-b"]).await;
        let refused = scenario.run_move(&["--cluster", "addon-a"]).await;
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        assert!(refused.says("ClusterResourceSet") && refused.says("addons"), "{refused}");
        scenario
            .run_move(&["--cluster", "addon-a", "--copy-shared"])
            .await
            .expect_success("a move");
        scenario.check_untouched(&["addon-b"], &others).await;
        // Each side has a set of its own from now on, with other Clusters.
        let mut left = scenario.proxied_pair.leftovers(&scenario.tag).await;
        left.retain(|line| !line.contains("/clusterresourcesets/addons is active twice"));
        assert!(left.is_empty(), "{left:#?}");
        let after = scenario.ends().await;
        let set = "ClusterResourceSet.addons.cluster.x-k8s.io TAG/addons";
        assert_eq!(before.source.get(set), after.source.get(set));
        scenario.check_names("ClusterResourceSet", &["addons"], &["addons"]).await;
        scenario
            .check_names("ClusterResourceSetBinding", &["addon-b"], &["addon-a", "by-name"])
            .await;
        scenario.run_move(&[]).await.expect_success("a move of the rest");
        scenario.check_names("ClusterResourceSet", &[], &["addons"]).await;
        scenario.check_names("Cluster", &[], &["addon-a", "addon-b"]).await;
    })
    .await;
}
