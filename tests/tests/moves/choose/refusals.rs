//! Choices that come to nothing, or to something else than was meant.

use std::sync::Arc;

use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::suite::Suite;

use super::{exit, with_three};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite.thorough("a_choice_that_is_no_choice_is_refused_and_explained", no_choice)
}

async fn no_choice(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let everything = ["red", "blue", "green", "common-class", "unused-class"];
        let before = scenario.objects_of(&everything[..3]).await;
        let tag = scenario.tag.clone();
        let in_tag = |name: &str| format!("{tag}/{name}");
        let (near, elsewhere) = (in_tag("red"), "elsewhere/red");
        for (flags, code, text) in [
            (&["--cluster", "rad"][..], exit::REFUSED, near.as_str()),
            (&["--cluster", "red", "--cluster", "blu"], exit::REFUSED, "blue"),
            (&["--exclude", "geren"], exit::REFUSED, "green"),
            (&["--cluster", elsewhere], exit::REFUSED, "no Cluster in scope has the name"),
            (&["--cluster", "zzz*"], exit::REFUSED, "kubectl get clusters -A"),
            (&["--selector", "tier in (staging)"], exit::NOTHING, ""),
            (&["--selector", "tier=dev", "--cluster", "blue"], exit::NOTHING, ""),
            (&["--exclude", "*"], exit::NOTHING, ""),
            (&["--selector", "tier in in"], exit::REFUSED, "label selector"),
            (&["--cluster", "[x"], 2, "no pattern"),
            (&["--copy-shared"], 2, "--cluster"),
        ] {
            let outcome = scenario.run_move(flags).await;
            assert_eq!(outcome.code, Some(code), "{flags:?}: {outcome}");
            assert!(outcome.says(text), "{flags:?}: `{text}` is not said: {outcome}");
        }
        scenario.check_untouched(&everything[..3], &before).await;
        scenario.check_nothing_left().await;
    })
    .await;
}
