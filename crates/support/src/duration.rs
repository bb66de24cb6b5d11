//! Durations that users write: seconds, or as kubectl has them.

use jiff::SignedDuration;

/// Reads `90`, `90s`, `5m` or `1h30m` as seconds.
///
/// # Errors
/// A sentence fragment with the form.
pub fn seconds(text: &str) -> Result<u64, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let duration = text.parse::<SignedDuration>().ok();
    let whole = duration.filter(|duration| duration.subsec_nanos() == 0);
    let seconds = whole.and_then(|duration| u64::try_from(duration.as_secs()).ok());
    seconds.ok_or_else(|| "use seconds, or a duration such as 90s, 5m or 1h30m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_kubectl_or_seconds() {
        for (text, expected) in [
            ("0", 0),
            ("90", 90),
            ("90s", 90),
            ("5m", 300),
            ("1h30m", 5400),
            ("1.5h", 5400),
            ("1h0m5s", 3605),
        ] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in ["", "s", "-1s", "1m1h", "m5", "1500ms", "99999999999999999999h"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
