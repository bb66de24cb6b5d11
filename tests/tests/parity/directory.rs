//! Directories: what one program writes, the other restores as it restores its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use capi::Object;
use kubectl_pivot_tests::deviation::{Seen, Verdict, with_source_uids, with_target_uids};
use kubectl_pivot_tests::dump::{Dump, Normal, RawDump, Uids, diff, report};
use kubectl_pivot_tests::population::{Population, class, ipam, resource_set};
use kubectl_pivot_tests::program::{Outcome, Program};
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;
use serde_json::Value;

use crate::Parity;

pub(crate) fn add(suite: Suite<Parity>) -> Suite<Parity> {
    suite
        .case("directory_of_clusterctl", directory_of_clusterctl)
        .thorough("directory_of_ours", directory_of_ours)
        .thorough("directories_have_the_same_files", same_files)
}

/// Classes, sets and addresses in one namespace.
async fn populate(plane: &Plane, namespace: &str) {
    for build in [class::same_namespace, resource_set::population, ipam::population] {
        let population: Population = build(namespace);
        plane.populate(&population).await;
    }
}

async fn directory_of_clusterctl(parity: Arc<Parity>) {
    let namespace = "proof-their-files";
    let source = &parity.twins.theirs.source;
    populate(source, namespace).await;
    let directory = parity.fixture.folder(namespace);
    save(&parity.fixture.clusterctl(), source, namespace, &directory)
        .await
        .expect_success("clusterctl");
    restored_alike(&parity, "directory_of_clusterctl", source, namespace, &directory).await;
}

async fn directory_of_ours(parity: Arc<Parity>) {
    let namespace = "proof-our-files";
    let source = &parity.twins.ours.source;
    populate(source, namespace).await;
    let before = source.dump(&[namespace]).await;
    let directory = parity.fixture.folder(namespace);
    save(&parity.fixture.kubectl_pivot(), source, namespace, &directory)
        .await
        .expect_success("ours");
    let uids = Uids::of(&before);
    let normal = Normal { own: &uids, foreign: None };
    let after = normal.form(&source.dump(&[namespace]).await);
    let changed = report(&diff(&normal.form(&before), &after), "before", "after ");
    assert!(changed.is_empty(), "the source was changed:\n{changed}");
    restored_alike(&parity, "directory_of_ours", source, namespace, &directory).await;
}

/// Both programs write the same source, one after the other.
async fn same_files(parity: Arc<Parity>) {
    let namespace = "proof-files";
    let source = &parity.twins.ours.source;
    populate(source, namespace).await;
    let theirs = parity.fixture.folder("files-of-clusterctl");
    let ours = parity.fixture.folder("files-of-ours");
    save(&parity.fixture.kubectl_pivot(), source, namespace, &ours).await.expect_success("ours");
    save(&parity.fixture.clusterctl(), source, namespace, &theirs)
        .await
        .expect_success("clusterctl");
    let (theirs, ours) = (files(&theirs), files(&ours));
    assert_eq!(theirs.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>());
    let form = |files: BTreeMap<String, Object>| {
        let dump = RawDump::from(files.into_values().collect::<Vec<_>>());
        let uids = Uids::of(&dump);
        Normal { own: &uids, foreign: None }.form(&dump)
    };
    let differences =
        diff(&form(theirs), &form(ours)).into_iter().map(|d| (Seen::Source, d)).collect();
    let verdict = Verdict::of("directories_have_the_same_files", differences);
    verdict.check().unwrap_or_else(|text| panic!("{text}"));
}

fn files(directory: &Path) -> BTreeMap<String, Object> {
    let entries = std::fs::read_dir(directory).expect("a directory").map(|entry| {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a file");
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (name, Object::new(serde_json::from_str(&text).expect("both write JSON")))
    });
    entries.collect()
}

async fn save(program: &Program, source: &Plane, namespace: &str, directory: &Path) -> Outcome {
    let (kubeconfig, directory) =
        (source.kubeconfig().display().to_string(), directory.display().to_string());
    program
        .run(["move", "--kubeconfig", &kubeconfig, "-n", namespace, "--to-directory", &directory])
        .await
}

async fn load(program: &Program, target: &Plane, directory: &Path) -> Outcome {
    let (kubeconfig, directory) =
        (target.kubeconfig().display().to_string(), directory.display().to_string());
    program.run(["move", "--to-kubeconfig", &kubeconfig, "--from-directory", &directory]).await
}

/// Restores a directory with both programs and compares the targets.
async fn restored_alike(
    parity: &Parity,
    case: &str,
    source: &Plane,
    namespace: &str,
    directory: &Path,
) {
    let saved = source.dump(&[namespace]).await;
    let origin = Uids::of(&saved);
    let (their_target, our_target) = (&parity.twins.theirs.target, &parity.twins.ours.target);
    load(&parity.fixture.clusterctl(), their_target, directory).await.expect_success("clusterctl");
    let restored =
        load(&parity.fixture.kubectl_pivot(), our_target, directory).await.expect_success("ours");
    let theirs = arrived(their_target, namespace, &origin).await;
    let ours = arrived(our_target, namespace, &origin).await;
    assert!(ours.0.len() > 10, "hardly anything was restored: {restored}");
    assert_eq!(with_source_uids(&ours), Vec::<&str>::new());
    expect_managers(&Normal { own: &origin, foreign: None }.form(&saved), &ours);
    let theirs = with_target_uids(&theirs).unwrap_or_else(|text| panic!("{text}"));
    let differences = diff(&theirs, &ours).into_iter().map(|d| (Seen::Target, d)).collect();
    Verdict::of(case, differences).check().unwrap_or_else(|text| panic!("{text}\n{restored}"));
}

/// The managers that an object had in the source are those it has in the target; nobody reports a
/// status there yet.
fn expect_managers(source: &Dump, target: &Dump) {
    let managers = |object: &Value| -> BTreeMap<String, Value> {
        let entries = object["metadata"]["managedFields"].as_object().cloned().unwrap_or_default();
        let lasting = |name: &str| !name.ends_with(" status") && !name.starts_with("clusterctl ");
        entries.into_iter().filter(|(name, _)| lasting(name)).collect()
    };
    for (name, object) in target.0.iter().filter(|(name, _)| !name.starts_with("Namespace ")) {
        let saved = source.get(name).unwrap_or_else(|| panic!("{name} comes from nowhere"));
        assert_eq!(managers(saved), managers(object), "{name}");
    }
}

async fn arrived(target: &Plane, namespace: &str, origin: &Uids) -> Dump {
    let dump = target.dump(&[namespace]).await;
    let uids = Uids::of(&dump);
    Normal { own: &uids, foreign: Some(origin) }.form(&dump)
}
