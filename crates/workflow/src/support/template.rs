//! The filled-in template of a provider, which the folder of a run keeps.
//!
//! Until the objects of the cluster are applied each run of the program fills the template in
//! anew. From then on the objects are what they are: a resume needs no repository of the provider,
//! and a template that has changed there changes nothing.

use blueprint::KeptTemplate;

use crate::store::{RunFolder, StoreError, kept_since_applied};

const FILE: &str = "template.json";

/// Reads the template of a run that has applied its cluster. One that cannot be read is filled in
/// anew, as if it had not been kept.
pub(crate) fn of_run(name: &str) -> Result<Option<KeptTemplate>, StoreError> {
    let text = kept_since_applied(name, FILE)?;
    Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
}

/// Keeps a template, or forgets the one before.
pub(crate) fn keep(folder: &RunFolder, template: Option<&KeptTemplate>) -> Result<(), StoreError> {
    match template {
        Some(template) => {
            let text = serde_json::to_vec_pretty(template).unwrap_or_default();
            folder.write(FILE, text).map(drop)
        }
        None => folder.discard(FILE),
    }
}
