//! Objects that chosen Clusters share with others, and the move of a choice of everything.

use std::sync::Arc;

use kubectl_pivot_tests::arena::Arena;
use kubectl_pivot_tests::population::{Piece, Population, class, crds, resource_set};
use kubectl_pivot_tests::suite::Suite;

use super::{exit, with_population, with_three};

pub(crate) fn add(suite: Suite<Arena>) -> Suite<Arena> {
    suite
        .case("a_class_of_both_sides_is_refused_then_copied_and_the_rest_follows", shared_class)
        .thorough("a_class_that_only_chosen_clusters_use_moves_with_them", own_class)
        .thorough("a_choice_of_all_clusters_is_a_plain_move_but_for_what_nobody_uses", all)
        .thorough("a_secret_that_nobody_is_known_to_use_is_not_left_behind_silently", unknown_user)
        .thorough("a_set_that_has_clusters_on_both_sides_works_on_each", shared_set)
}

async fn shared_class(arena: Arc<Arena>) {
    with_three(arena, |story| async move {
        let before = story.ends().await;
        let clusters = ["red", "blue", "green"];
        let untouched = story.objects_of(&clusters).await;
        let refused = story.run_move(&["--cluster", "red"]).await;
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        let names = ["ClusterClass", "common-class", "/red", "/blue", "--copy-shared"];
        for text in names {
            assert!(refused.says(text), "`{text}` is not named: {refused}");
        }
        assert_eq!(before, story.ends().await);
        story.check_untouched(&clusters, &untouched).await;

        let blue_and_green = story.objects_of(&["blue", "green"]).await;
        let moved = story.run_move(&["--cluster", "red", "--copy-shared", "-o", "json"]).await;
        let report = moved.expect_success("a move of one cluster").json();
        story.check_untouched(&["blue", "green"], &blue_and_green).await;
        story.check_nothing_left().await;
        story.check_names("Cluster", &["blue", "green"], &["red"]).await;
        let classes = ["common-class", "green-class", "unused-class"];
        story.check_names("ClusterClass", &classes, &["common-class"]).await;
        story.check_names("DockerMachineTemplate", &classes, &["common-class"]).await;
        assert_eq!(report["clusters"], 1, "{report:#}");
        assert_eq!(report["chosen"], serde_json::json!([format!("{}/red", story.tag)]));
        let verify = |name: &'static str| {
            let story = story.clone();
            let tag = story.tag.clone();
            async move {
                story.run("verify", &["-n", &tag, "--cluster", name, "--settle", "0"]).await
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
        let after = story.ends().await;
        for kind in ["ClusterClass.cluster.x-k8s.io",
            "KubeadmConfigTemplate.bootstrap.cluster.x-k8s.io"] {
            let name = format!("{kind} TAG/common-class");
            assert!(after.source.get(&name).is_some(), "{name}");
            assert_eq!(before.source.get(&name), after.source.get(&name));
        }

        story.run_move(&[]).await.expect_success("a move of the rest");
        story.check_nothing_left().await;
        story.check_names("Cluster", &[], &["red", "blue", "green"]).await;
        story.check_names("ClusterClass", &[], &classes).await;
        story.check_names("Secret", &[], &["red-kubeconfig", "blue-kubeconfig",
            "green-kubeconfig"]).await;
        let end = story.ends().await;
        assert!(end.source.payload().is_empty(), "{:?}", end.source.payload());
        assert_eq!(before.source.payload(), end.target.payload());
    })
    .await;
}

async fn own_class(arena: Arc<Arena>) {
    with_three(arena, |story| async move {
        let others = story.objects_of(&["green"]).await;
        let flags = ["-n", "default", "--cluster", "[rb]*", "--exclude", "green"];
        let outcome = story.run_move(&flags).await;
        outcome.expect_success("a move of two clusters");
        story.check_untouched(&["green"], &others).await;
        story.check_nothing_left().await;
        story.check_names("Cluster", &["green"], &["red", "blue"]).await;
        story
            .check_names("ClusterClass", &["green-class", "unused-class"], &["common-class"])
            .await;
    })
    .await;
}

async fn all(arena: Arc<Arena>) {
    let mut plain = None;
    let slot = &mut plain;
    with_three(Arc::clone(&arena), |story| async move {
        story.run_move(&[]).await.expect_success("a plain move");
        *slot = Some(story.ends().await);
    })
    .await;
    let plain = plain.expect("the first story has ended");
    with_three(arena, |story| async move {
        story.run_move(&["--cluster", "*"]).await.expect_success("a move of all clusters");
        story.check_nothing_left().await;
        let chosen = story.ends().await;
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
    population.add(Piece::cluster_secret("login").label(crds::MOVE, ""));
    population
}

async fn unknown_user(arena: Arc<Arena>) {
    with_population(arena, with_login, |story| async move {
        let others = story.objects_of(&["red", "blue"]).await;
        let refused = story.run_move(&["--cluster", "green"]).await;
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        for text in ["SharedObject", "/login", "nobody is known to use it", "--copy-shared"] {
            assert!(refused.says(text), "`{text}` is not said: {refused}");
        }
        let moved = story.run_move(&["--cluster", "green", "--copy-shared"]).await;
        moved.expect_success("a move of one cluster");
        story.check_untouched(&["red", "blue"], &others).await;
        story.check_nothing_left().await;
        let left = ["blue-kubeconfig", "login", "red-kubeconfig"];
        story.check_names("Secret", &left, &["green-kubeconfig", "login"]).await;
        let moved = story.run_move(&["--cluster", "*"]).await;
        moved.expect_success("a move of all that are left");
        story.check_names("Secret", &[], &[&left[..], &["green-kubeconfig"]].concat()).await;
    })
    .await;
}

async fn shared_set(arena: Arc<Arena>) {
    with_population(arena, resource_set::population, |story| async move {
        let before = story.ends().await;
        let others = story.objects_of(&["addon-b"]).await;
        let refused = story.run_move(&["--cluster", "addon-a"]).await;
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        assert!(refused.says("ClusterResourceSet") && refused.says("addons"), "{refused}");
        story.run_move(&["--cluster", "addon-a", "--copy-shared"]).await.expect_success("a move");
        story.check_untouched(&["addon-b"], &others).await;
        // Each side has a set of its own from now on, with other Clusters.
        let mut left = story.arena.leftovers(&story.tag).await;
        left.retain(|line| !line.contains("/clusterresourcesets/addons is active twice"));
        assert!(left.is_empty(), "{left:#?}");
        let after = story.ends().await;
        let set = "ClusterResourceSet.addons.cluster.x-k8s.io TAG/addons";
        assert_eq!(before.source.get(set), after.source.get(set));
        story.check_names("ClusterResourceSet", &["addons"], &["addons"]).await;
        story.check_names("ClusterResourceSetBinding", &["addon-b"], &["addon-a", "by-name"]).await;
        story.run_move(&[]).await.expect_success("a move of the rest");
        story.check_names("ClusterResourceSet", &[], &["addons"]).await;
        story.check_names("Cluster", &[], &["addon-a", "addon-b"]).await;
    })
    .await;
}
