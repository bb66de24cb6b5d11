//! Encrypted backups: the reference implementation of age makes the keys and reads the files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kubectl_pivot_tests::age::KeyPair;
use kubectl_pivot_tests::arena::Arena;
use kubectl_pivot_tests::proxy::Side;
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};
use transfer::MANIFEST;

use super::{Story, exit, listed, manifest, with_story};

pub(crate) fn add(suite: Suite<Arena>) -> Suite<Arena> {
    suite
        .case("an_encrypted_backup_is_restored_by_its_identity_alone", restored)
        .thorough("the_encrypted_backup_of_a_move_is_restored", of_a_move)
}

/// The flag and its value.
fn flag(name: &str, value: &Path) -> [String; 2] {
    [name.to_owned(), value.display().to_string()]
}

async fn restored(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let before = story.ends().await;
        let own = KeyPair::new(&story.folder, "own.key").await;
        let other = KeyPair::new(&story.folder, "other.key").await;
        let recipients = story.folder.join("recipients");
        fs::write(&recipients, format!("# the team\n{}\n", own.recipient)).expect("written");
        let mut args = story.backup_args();
        args.extend(flag("--encrypt-to", &recipients));
        story.run(args).await.expect_success("the backup");
        check_files(&story, &own).await;

        let refused = story.run(story.restore_args(Side::Target, &story.directory())).await;
        let hint = format!("--identity: {}", own.recipient);
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        assert!(refused.says("is encrypted") && refused.says(&hint), "{refused}");
        let with = |pair: &KeyPair| {
            let mut args = story.restore_args(Side::Target, &story.directory());
            args.extend(flag("--identity", &pair.identity));
            args
        };
        story.arena.tape().begin_run();
        let refused = story.run(with(&other)).await;
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        assert!(refused.says("other.key is one that it is encrypted to"), "{refused}");
        assert!(refused.says(&hint), "{refused}");
        assert_eq!(story.arena.tape().writes().len(), 0);

        verify(&story, &own, &other).await;
        story.run(with(&own)).await.expect_success("the restore");
        story.check_restored(&story.directory(), &before.source, &story.ends().await.target);
        story.check_no_marks_left().await;
    })
    .await;
}

/// Checks that each file is encrypted, and is by itself what a backup in plain text has.
async fn check_files(story: &Story, own: &KeyPair) {
    let manifest = manifest(&story.directory());
    let encryption = json!({"format": "age", "recipients": [own.recipient]});
    assert_eq!(manifest["encryption"], encryption, "{manifest:#}");
    let files = listed(&story.directory());
    let mut secrets = 0;
    for name in files.iter().filter(|name| *name != MANIFEST) {
        assert!(name.ends_with(".yaml.age"), "{name}");
        if name.starts_with("Secret_") {
            let path = story.directory().join(name);
            let object: Value =
                serde_json::from_slice(&own.decrypt(&path).await).expect("an object in JSON");
            assert_eq!(object["kind"], "Secret", "{name}");
            assert!(object["data"].is_object(), "{name}");
            secrets += 1;
        }
    }
    assert!(secrets > 0, "{files:?}");
}

async fn verify(story: &Story, own: &KeyPair, other: &KeyPair) {
    let directory = story.directory();
    let verify = |further: &[String]| {
        let args = ["backup", "verify", &directory.display().to_string(), "-o", "json"];
        let args = args.map(str::to_owned).into_iter();
        story.run(args.chain(further.iter().cloned()).collect())
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

async fn of_a_move(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let before = story.ends().await;
        let own = KeyPair::new(&story.folder, "own.key").await;
        let mut args = story.arena.move_args(&story.tag);
        args.extend(flag("--backup-dir", &story.folder.join("backups")));
        args.extend(["--encrypt-to", &own.recipient, "-o", "json"].map(str::to_owned));
        let moved = story.run(args).await.expect_success("the move").json();
        let backup = PathBuf::from(moved["backup"].as_str().expect("a backup"));
        assert_eq!(manifest(&backup)["encryption"]["recipients"], json!([own.recipient]));
        let mut args = story.restore_args(Side::Source, &backup);
        args.extend(flag("--identity", &own.identity));
        story.run(args).await.expect_success("the restore");
        story.check_restored(&backup, &before.source, &story.ends().await.source);
        story.check_no_marks_left().await;
    })
    .await;
}
