//! Backups that are not what they were: nothing is written from them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::Side;
use kubectl_pivot_tests::suite::Suite;
use transfer::MANIFEST;

use super::{exit, listed, with_scenario};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite.thorough("a_damaged_backup_is_refused_and_the_file_is_named", damaged)
}

/// Damage to a backup, the file that has to be named, and the message about it.
type Damage = (&'static str, fn(&Path, &str), &'static str);

const DAMAGES: [Damage; 6] = [
    (
        "changed",
        |folder, first| append(&folder.join(first), "\n"),
        "sha256 is not that of the manifest",
    ),
    ("missing", |folder, first| fs::remove_file(folder.join(first)).expect("deleted"), "missing"),
    (
        "extra",
        |folder, _| fs::write(folder.join("zz.yaml"), "").expect("written"),
        "zz.yaml: the file is not part",
    ),
    ("folder", |folder, _| fs::create_dir(folder.join("zz")).expect("created"), "zz"),
    (
        "no manifest",
        |folder, _| fs::remove_file(folder.join(MANIFEST)).expect("deleted"),
        "no complete backup",
    ),
    ("cut manifest", |folder, _| cut(&folder.join(MANIFEST)), "the manifest is damaged"),
];

fn append(path: &Path, text: &str) {
    let content = fs::read_to_string(path).expect("readable");
    fs::write(path, content + text).expect("written");
}

fn cut(path: &Path) {
    let content = fs::read(path).expect("readable");
    fs::write(path, &content[..content.len() / 2]).expect("written");
}

async fn damaged(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.back_up().await;
        for (name, damage, said) in DAMAGES {
            let copy = scenario.folder.join(name);
            fs::create_dir(&copy).expect("created");
            for file in listed(&scenario.directory()) {
                fs::copy(scenario.directory().join(&file), copy.join(&file)).expect("copied");
            }
            let first = listed(&copy).remove(0);
            damage(&copy, &first);
            scenario.proxied_pair.traffic().begin_run();
            let refused = scenario.run(scenario.restore_args(Side::Target, &copy)).await;
            assert_eq!(refused.code, Some(exit::REFUSED), "{name}: {refused}");
            assert!(refused.stderr.contains(said), "{name}: {refused}");
            assert!(refused.stderr.contains("hint: "), "{name}: {refused}");
            assert_eq!(refused.json()["outcome"], "notBegun", "{name}: {refused}");
            if ["changed", "missing"].contains(&name) {
                assert!(refused.stderr.contains(&first), "{name}: {refused}");
            }
            assert_eq!(scenario.proxied_pair.traffic().writes().len(), 0, "{name}");
        }
        scenario.check_nothing_left().await;
    })
    .await;
}
