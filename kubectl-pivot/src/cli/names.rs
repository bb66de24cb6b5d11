//! Names on the command line, held to the rules of Kubernetes before anything is done with them.

use capi::valid;

/// A name that is a DNS label: of a namespace, a run or its cluster. The folder of a run has its
/// name.
pub(super) fn label(text: &str) -> Result<String, String> {
    if valid::is_label(text) {
        return Ok(text.to_owned());
    }
    Err("use up to 63 lowercase letters, digits and dashes, with a letter or digit at both ends"
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_not_a_path() {
        assert_eq!(label("pivot-1").as_deref(), Ok("pivot-1"));
        for name in ["../../x", "/abs", "a/b", "..", "", "A", "a b", "a.b"] {
            assert!(label(name).is_err(), "{name:?}");
        }
    }
}
