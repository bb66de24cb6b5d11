//! Getting what a control plane lacks before it is looked for: says first what takes how long, then
//! downloads released parts. What cannot be downloaded is left to be built.

use std::fmt::Write as _;

use support::journal::Events;

use super::crds;
use super::error::PartsError;
use super::part::Part;
use super::parts::{Found, PartsFrom, PartsOptions, Search};
use super::release::Release;
use super::released::{self, DownloadError, FetchError, Places};

/// The parts of a control plane that have releases, those of one archive one after the other.
const PARTS: [Part; 3] = [Part::Etcd, Part::KubeApiserver, Part::KubeControllerManager];

/// Downloads what is missing, if that is the way.
///
/// # Errors
/// A part is not where the user says, or cannot be had by the only way that the user allows.
pub(super) async fn prepare(options: &PartsOptions, events: &Events) -> Result<(), PartsError> {
    let search = Search::new(options)?;
    let missing = Missing::look(&search)?;
    if missing.is_nothing() {
        return Ok(());
    }
    events.note(missing.announcement(options.from));
    if options.from == PartsFrom::Build {
        return Ok(());
    }
    match download(&missing, &Places(options.mirror.as_ref()), &search, events).await {
        Ok(()) => Ok(()),
        Err(FetchError::Cache(error)) => Err(error),
        Err(FetchError::Download(error)) if options.from == PartsFrom::Download => {
            Err(error.into())
        }
        Err(FetchError::Download(error)) => {
            events.warning(format!("{error}; Go builds what is missing instead"));
            Ok(())
        }
    }
}

/// The parts that are in no folder and not in the cache.
struct Missing {
    parts: Vec<Part>,
    crds: bool,
}

impl Missing {
    fn look(search: &Search) -> Result<Self, PartsError> {
        let mut parts = Vec::new();
        for part in PARTS {
            if let Found::Nowhere(_) = search.find(part)? {
                parts.push(part);
            }
        }
        Ok(Self { parts, crds: !search.cache().join(crds::folder(&Release::pinned())).exists() })
    }

    fn is_nothing(&self) -> bool {
        self.parts.is_empty() && !self.crds
    }

    /// Says to somebody who waits what happens now, and how long it takes.
    fn announcement(&self, from: PartsFrom) -> String {
        let mut names: Vec<String> = self.parts.iter().map(ToString::to_string).collect();
        if self.crds {
            names.push("CRDs of Cluster API".to_owned());
        }
        let mut text = format!("not on this machine yet: {}. ", names.join(", "));
        let built = self.parts.iter().map(|part| format!("{part} {}", part.recipe().duration));
        let built: Vec<String> = built.collect();
        let building = match built.as_slice() {
            [] => "Go fetches them as modules, about a minute".to_owned(),
            _ => format!("Go builds them on 2 cores in about: {}", built.join(", ")),
        };
        let _ = match from {
            PartsFrom::Build => write!(text, "{building}. This happens once"),
            PartsFrom::Download => write!(text, "They are downloaded once, up to 200 MB"),
            PartsFrom::Auto => {
                write!(text, "They are downloaded once, up to 200 MB; where that fails, {building}")
            }
        };
        text
    }
}

async fn download(
    missing: &Missing,
    places: &Places<'_>,
    search: &Search,
    events: &Events,
) -> Result<(), FetchError> {
    let mut not_released = None;
    for part in &missing.parts {
        match released::fetch(*part, places, search, events).await {
            // Others may be released nevertheless.
            Err(FetchError::Download(error @ DownloadError::NotReleased { .. })) => {
                not_released.get_or_insert(error);
            }
            // Often a consequence of that one.
            Err(error) => return Err(not_released.map_or(error, FetchError::Download)),
            Ok(()) => {}
        }
    }
    if missing.crds {
        released::fetch_crds(places, search, events).await?;
    }
    not_released.map_or(Ok(()), |error| Err(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_screen_says_what_takes_how_long() {
        let all = Missing { parts: PARTS.to_vec(), crds: true };
        let build = all.announcement(PartsFrom::Build);
        assert_eq!(
            build,
            "not on this machine yet: etcd, kube-apiserver, kube-controller-manager, CRDs of \
             Cluster API. Go builds them on 2 cores in about: etcd 1 min, kube-apiserver 4 min, \
             kube-controller-manager 2 min. This happens once"
        );
        let auto = all.announcement(PartsFrom::Auto);
        assert!(
            auto.contains("downloaded once, up to 200 MB; where that fails, Go builds"),
            "{auto}"
        );
    }
}
