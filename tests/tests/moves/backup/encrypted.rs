//! Encrypted backups: the reference implementation of age makes the keys and reads the files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kubectl_pivot_tests::age::KeyPair;
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::Side;
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};
use transfer::MANIFEST;

use super::{Scenario, exit, listed, manifest, with_scenario};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .case("an_encrypted_backup_is_restored_by_its_identity_alone", restored)
        .thorough("the_encrypted_backup_of_a_move_is_restored", of_a_move)
}

/// The flag and its value.
fn flag(name: &str, value: &Path) -> [String; 2] {
    [name.to_owned(), value.display().to_string()]
}

async fn restored(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let own = KeyPair::new(&scenario.folder, "own.key").await;
        let other = KeyPair::new(&scenario.folder, "other.key").await;
        let recipients = scenario.folder.join("recipients");
        fs::write(&recipients, format!("# the team\n{}\n", own.recipient)).expect("written");
        let mut args = scenario.backup_args();
        args.extend(flag("--encrypt-to", &recipients));
        scenario.run(args).await.expect_success("the backup");
        check_files(&scenario, &own).await;

        let refused =
            scenario.run(scenario.restore_args(Side::Target, &scenario.directory())).await;
        let hint = format!("--identity: {}", own.recipient);
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        assert!(refused.says("is encrypted") && refused.says(&hint), "{refused}");
        let with = |pair: &KeyPair| {
            let mut args = scenario.restore_args(Side::Target, &scenario.directory());
            args.extend(flag("--identity", &pair.identity));
            args
        };
        scenario.proxied_pair.traffic().begin_run();
        let refused = scenario.run(with(&other)).await;
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        assert!(refused.says("other.key is one that it is encrypted to"), "{refused}");
        assert!(refused.says(&hint), "{refused}");
        assert_eq!(scenario.proxied_pair.traffic().writes().len(), 0);

        verify(&scenario, &own, &other).await;
        scenario.run(with(&own)).await.expect_success("the restore");
        scenario.check_restored(
            &scenario.directory(),
            &before.source,
            &scenario.ends().await.target,
        );
        scenario.check_no_marks_left().await;
    })
    .await;
}

/// Checks that each file is encrypted, and is by itself what a backup in plain text has.
async fn check_files(scenario: &Scenario, own: &KeyPair) {
    let manifest = manifest(&scenario.directory());
    let encryption = json!({"format": "age", "recipients": [own.recipient]});
    assert_eq!(manifest["encryption"], encryption, "{manifest:#}");
    let files = listed(&scenario.directory());
    let mut secrets = 0;
    for name in files.iter().filter(|name| *name != MANIFEST) {
        assert!(name.ends_with(".yaml.age"), "{name}");
        if name.starts_with("Secret_") {
            let path = scenario.directory().join(name);
            let object: Value =
                serde_json::from_slice(&own.decrypt(&path).await).expect("an object in JSON");
            assert_eq!(object["kind"], "Secret", "{name}");
            assert!(object["data"].is_object(), "{name}");
            secrets += 1;
        }
    }
    assert!(secrets > 0, "{files:?}");
}

async fn verify(scenario: &Scenario, own: &KeyPair, other: &KeyPair) {
    let directory = scenario.directory();
    let verify = |further: &[String]| {
        let args = ["backup", "verify", &directory.display().to_string(), "-o", "json"];
        let args = args.map(str::to_owned).into_iter();
        scenario.run(args.chain(further.iter().cloned()).collect())
    };
    let sums = verify(&[]).await.expect_success("verify").json();
    assert_eq!(sums["objectsRead"], false, "{sums:#}");
    let whole = verify(&flag("--identity", &own.identity)).await.expect_success("verify").json();
    assert_eq!(whole["objectsRead"], true, "{whole:#}");
    let files = listed(&directory).len() - 1;
    let kinds = whole["kinds"].as_object().expect("counts").values();
    assert_eq!(kinds.filter_map(Value::as_u64).sum::<u64>(), files as u64, "{whole:#}");
    let wrong = verify(&flag("--identity", &other.identity)).await;
    assert_eq!(wrong.code, Some(exit::NOT_VERIFIED), "{wrong}");
    assert!(wrong.says("cannot decrypt"), "{wrong}");

    let first = directory.join(listed(&directory).remove(0));
    let content = fs::read(&first).expect("readable");
    fs::write(&first, &content[..content.len() - 1]).expect("written");
    let changed = verify(&[]).await;
    assert_eq!(changed.code, Some(exit::NOT_VERIFIED), "{changed}");
    assert!(changed.says(&first.display().to_string()), "{changed}");
    fs::write(&first, content).expect("written");
}

async fn of_a_move(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let own = KeyPair::new(&scenario.folder, "own.key").await;
        let mut args = scenario.proxied_pair.move_args(&scenario.tag);
        args.extend(flag("--backup-dir", &scenario.folder.join("backups")));
        args.extend(["--encrypt-to", &own.recipient, "-o", "json"].map(str::to_owned));
        let moved = scenario.run(args).await.expect_success("the move").json();
        let backup = PathBuf::from(moved["backup"].as_str().expect("a backup"));
        assert_eq!(manifest(&backup)["encryption"]["recipients"], json!([own.recipient]));
        let mut args = scenario.restore_args(Side::Source, &backup);
        args.extend(flag("--identity", &own.identity));
        scenario.run(args).await.expect_success("the restore");
        scenario.check_restored(&backup, &before.source, &scenario.ends().await.source);
        scenario.check_no_marks_left().await;
    })
    .await;
}
