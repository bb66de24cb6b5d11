//! `move`, `resume`, `rollback` and `status` about an interrupted run.

use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::WriteOptions;
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::Fault;
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};

use super::commit::while_handing_over;
use super::{exit, while_copying, while_deleting, with_scenario};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .thorough(
            "a_move_on_an_interrupted_run_names_resume_and_rollback",
            interrupted_is_explained,
        )
        .thorough("a_resume_that_is_refused_leaves_the_run_as_it_is", refused_again)
        .thorough("nothing_to_resume_or_roll_back", nothing_to_resume)
        .thorough("swapped_clusters_are_explained", swapped)
        .case("no_rollback_after_the_commit", too_late)
        .case("a_run_without_records_is_rolled_back_by_its_marks", leases_gone)
        .thorough("a_run_that_has_deleted_is_not_rolled_back_by_its_marks", leases_gone_too_late)
        .thorough("status_distinguishes_an_active_run_from_an_interrupted_one", status)
        .thorough("a_cluster_paused_by_its_user_stays_so_after_a_rollback", rollback_then_move)
}

async fn interrupted_is_explained(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_copying(5, Fault::HoldAfter)).await;
        scenario.proxied_pair.free_leases().await;
        let again = scenario.run_move().await;
        assert_eq!(again.code, Some(exit::REFUSED), "{again}");
        for command in ["kubectl pivot resume", "kubectl pivot rollback"] {
            assert!(again.says(command), "`{command}` is not offered: {again}");
        }
        // A Lease without a holder needs no force.
        scenario.run("resume", &[]).await.expect_success("resume");
        scenario.check_nothing_left().await;
    })
    .await;
}

/// Somebody has taken the name of an object that is still to be copied.
async fn refused_again(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        scenario.kill_at(while_copying(5, Fault::HoldAfter)).await;
        let target = scenario.proxied_pair.pair().target.client();
        let secrets = ResourceType::core("Secret", "secrets");
        let foreign = Object::new(json!({"apiVersion": "v1", "kind": "Secret", "metadata":
            {"name": "plain-worker", "namespace": scenario.tag}, "stringData": {"not": "ours"}}));
        let options = WriteOptions::manager("somebody");
        let foreign = target.create(&secrets, &foreign, &options).await.expect("is not there yet");
        let refused = scenario.run("resume", &["--force-unlock"]).await;
        assert_eq!(refused.code, Some(exit::UNFINISHED), "{refused}");
        assert!(refused.says("Secret") && refused.says("plain-worker"), "{refused}");
        assert!(refused.says("interrupted, and can be resumed"), "{refused}");
        assert!(refused.says("kubectl pivot rollback"), "{refused}");
        assert!(!refused.says("nothing was changed"), "the source is paused: {refused}");
        target.delete_unchanged(&secrets, &foreign).await.expect("it can be deleted");
        scenario.run("rollback", &[]).await.expect_success("rollback");
        scenario.check_put_back(&before).await;
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn nothing_to_resume(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        for command in ["resume", "rollback"] {
            let outcome = scenario.run(command, &[]).await;
            assert_eq!(outcome.code, Some(exit::NOTHING), "{command}: {outcome}");
            assert!(outcome.says("no interrupted move was found"), "{command}: {outcome}");
        }
        assert_eq!(before, scenario.proxied_pair.ends(&scenario.tag).await);
    })
    .await;
}

/// Somebody has cleaned the Leases up while copies were handed over.
async fn leases_gone(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        scenario.kill_at(while_handing_over(5)).await;
        scenario.proxied_pair.lose_records().await;
        let rollback = scenario.run("rollback", &[]).await;
        assert_eq!(rollback.code, Some(exit::NOTHING), "{rollback}");
        let status = scenario.run("status", &[]).await.expect_success("status");
        assert!(status.says("kubectl pivot rollback --from-marks"), "{status}");
        let rollback = scenario.run("rollback", &["--from-marks"]).await;
        let rollback = rollback.expect_success("rollback");
        before
            .check_put_back(&scenario.proxied_pair.ends(&scenario.tag).await)
            .unwrap_or_else(|text| panic!("{text}\n{rollback}"));
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn leases_gone_too_late(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_deleting(3, Fault::HoldAfter)).await;
        scenario.proxied_pair.lose_records().await;
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        let rollback = scenario.run("rollback", &["--from-marks"]).await;
        assert_eq!(rollback.code, Some(exit::REFUSED), "{rollback}");
        assert!(rollback.says("gone from the source"), "{rollback}");
        assert!(rollback.says("finish the move by hand"), "{rollback}");
        assert_eq!(before, scenario.proxied_pair.ends(&scenario.tag).await);
    })
    .await;
}

async fn swapped(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_copying(5, Fault::HoldAfter)).await;
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        for command in ["resume", "rollback"] {
            let mut args = scenario.proxied_pair.args_backwards(command);
            args.push("--force-unlock".to_owned());
            let outcome = scenario.proxied_pair.program().run(args).await;
            assert_eq!(outcome.code, Some(exit::NOTHING), "{command}: {outcome}");
            assert!(outcome.says("not the source and target of one run"), "{command}: {outcome}");
        }
        assert_eq!(before, scenario.proxied_pair.ends(&scenario.tag).await);
    })
    .await;
}

async fn too_late(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_deleting(0, Fault::HoldBefore)).await;
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        let rollback = scenario.run("rollback", &["--force-unlock"]).await;
        assert_eq!(rollback.code, Some(exit::REFUSED), "{rollback}");
        assert!(rollback.says("point of no return"), "{rollback}");
        assert!(rollback.says("kubectl pivot resume"), "{rollback}");
        assert_eq!(before, scenario.proxied_pair.ends(&scenario.tag).await);
        scenario.run("resume", &["--force-unlock"]).await.expect_success("resume");
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn status(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let mut running = scenario.start_until(while_copying(5, Fault::HoldBefore)).await;
        let status = scenario.run("status", &["-o", "json"]).await.expect_success("status").json();
        let pid = format!("pid {}", running.pid());
        for (cluster, role) in
            status["clusters"].as_array().into_iter().flatten().zip(["source", "target"])
        {
            let run = &cluster["run"];
            assert_eq!(
                (&run["role"], &run["phase"]),
                (&role.into(), &"preparing".into()),
                "{status:#}"
            );
            assert_eq!(run["namespace"], scenario.tag.as_str(), "{status:#}");
            assert!(
                run["holder"].as_str().is_some_and(|holder| holder.contains(&pid)),
                "{status:#}"
            );
        }
        let paused = status["clusters"][0]["paused"].as_array().cloned().unwrap_or_default();
        let by = |name: &str| paused.iter().find(|p| p["name"] == name).map(|p| p["byRun"].clone());
        assert_eq!(by("resting"), Some(Value::Null), "{status:#}");
        assert_eq!(by("plain"), Some(status["clusters"][0]["run"]["id"].clone()), "{status:#}");
        running.kill();
        running.end().await;
        scenario.proxied_pair.traffic().cut().await;
        scenario.proxied_pair.free_leases().await;
        let status = scenario.run("status", &["-o", "json"]).await.expect_success("status").json();
        assert_eq!(status["clusters"][0]["run"]["holder"], Value::Null, "{status:#}");
        let text = scenario.run("status", &[]).await.expect_success("status");
        assert!(text.says("interrupted") && text.says("kubectl pivot resume"), "{text}");
        scenario.run("rollback", &[]).await.expect_success("rollback");
        let status = scenario.run("status", &["-o", "json"]).await.expect_success("status").json();
        assert_eq!(status["clusters"][0].get("run"), None, "{status:#}");
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn rollback_then_move(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        scenario.kill_at(while_copying(20, Fault::HoldAfter)).await;
        scenario.run("rollback", &["--force-unlock"]).await.expect_success("rollback");
        scenario.check_put_back(&before).await;
        scenario.run_move().await.expect_success("a move after a rollback");
        scenario.check_nothing_left().await;
        let target = scenario.proxied_pair.ends(&scenario.tag).await.target;
        let paused = |name: &str| {
            let object = target.get(&format!("Cluster.cluster.x-k8s.io TAG/{name}"));
            object.map(|object| object["spec"]["paused"].clone())
        };
        assert_eq!(paused("resting"), Some(Value::Bool(true)));
        assert_eq!(paused("awake"), Some(Value::Bool(false)));
        assert_eq!(paused("plain"), Some(Value::Null));
    })
    .await;
}
