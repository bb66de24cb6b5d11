//! The choice of the cluster that the provider works for.

/// True if a cluster has Clusters that are not paused; `None` when it could not
/// be asked.
pub(super) type Activity = Option<bool>;

/// The cluster to lead to, from what is known of all of them.
///
/// The relay stays where it is as long as there is work, or may be. A Cluster is never active
/// twice, so after a move the answer is the cluster that it was moved to.
pub(super) fn choose(current: usize, clusters: &[Activity]) -> usize {
    match clusters.get(current) {
        Some(Some(false)) => {
            let busy = clusters.iter().position(|activity| *activity == Some(true));
            busy.unwrap_or(current)
        }
        _ => current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_active_clusters() {
        let (yes, no) = (Some(true), Some(false));
        for (current, clusters, expected) in [
            (0, [no, no], 0),
            (0, [yes, no], 0),
            // During a move nothing is active anywhere.
            (1, [no, no], 1),
            (0, [no, yes], 1),
            (1, [yes, no], 0),
            // Clusters of another namespace have stayed.
            (0, [yes, yes], 0),
            (0, [None, yes], 0),
            (0, [no, None], 0),
        ] {
            assert_eq!(choose(current, &clusters), expected, "{current} {clusters:?}");
        }
    }
}
