//! Reading the version of a program from whatever it prints.

use semver::Version;

/// The first version `x.y.z` in a text, with or without `v` before it.
pub(super) fn find(text: &str) -> Option<Version> {
    let is_separator =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ':' | '(' | ')');
    text.split(is_separator).find_map(parse)
}

/// Debian's `20.10.24+dfsg1` and Go's `v1.2.3` are versions too.
fn parse(word: &str) -> Option<Version> {
    let word = word.strip_prefix('v').unwrap_or(word);
    Version::parse(word).ok().or_else(|| {
        let numbers = word.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
        Version::parse(numbers).ok()
    })
}

/// Returns whether a version is new enough. What a vendor has added behind a hyphen does not make
/// it older.
pub(super) fn is_at_least(found: &Version, minimum: &Version) -> bool {
    let numbers = |version: &Version| (version.major, version.minor, version.patch);
    numbers(found) >= numbers(minimum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_programs_print() {
        for (text, expected) in [
            ("kind v0.33.0 go1.26.1 linux/amd64\n", "0.33.0"),
            ("v1.14.2\n", "1.14.2"),
            ("v3.16.2+g13654a5\n", "3.16.2+g13654a5"),
            ("Docker version 20.10.24+dfsg1, build 297e128\n", "20.10.24+dfsg1"),
            ("Docker version 28.2.2, build e6534b4", "28.2.2"),
            (
                r#"{"clientVersion": {"major": "1", "gitVersion": "v1.32.4-vendor", "goVersion": "go1.23.8"}}"#,
                "1.32.4-vendor",
            ),
            ("version 20.10.5_ce", "20.10.5"),
        ] {
            let found = find(text).map(|version| version.to_string());
            assert_eq!(found.as_deref(), Some(expected), "{text}");
        }
        for text in ["", "no version", "go1.26", "1.2", "\u{fffd}\u{fffd}"] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn additions_of_vendors_do_not_make_it_older() {
        let minimum = Version::new(1, 32, 4);
        for (text, expected) in
            [("1.32.4", true), ("1.32.4-vendor", true), ("1.33.0", true), ("1.32.3", false)]
        {
            let found = Version::parse(text).expect("a version");
            assert_eq!(is_at_least(&found, &minimum), expected, "{text}");
        }
    }
}
