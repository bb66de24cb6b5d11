//! The first contact with a cluster: of each kubeconfig, certificate, login and proxy this program
//! makes what the real kubectl makes of it. Both go to servers that write down who came and how;
//! what they wrote has to be equal.

mod bench;
mod certificates;
mod files;
mod hints;
mod logins;
mod proxies;
mod random;
mod shape;

use bench::compare_all;

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_accepted_as_by_kubectl() {
    compare_all("certificates", |bench| certificates::shapes(bench, false)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a case of the thorough run"]
async fn every_certificate_with_every_bundle_is_accepted_as_by_kubectl() {
    compare_all("certificates", |bench| certificates::shapes(bench, true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_log_in_as_with_kubectl() {
    compare_all("logins", logins::shapes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_and_merged_as_by_kubectl() {
    compare_all("files", files::shapes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_go_through_the_proxies_of_kubectl() {
    compare_all("proxies", proxies::shapes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_kubeconfigs_are_read_as_by_kubectl() {
    compare_all("random", |bench| random::shapes(bench, 30)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a case of the thorough run"]
async fn ten_thousand_random_kubeconfigs_are_read_as_by_kubectl() {
    compare_all("random", |bench| random::shapes(bench, 10_000)).await;
}
