//! Durations on the command line: seconds, or as kubectl has them.

/// The units of a duration, with their seconds.
const UNITS: [(char, u64); 3] = [('h', 3600), ('m', 60), ('s', 1)];

/// Reads `90`, `90s`, `5m` or `1h30m` as seconds.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    parse(text).ok_or_else(|| "use seconds, or a duration such as 90s, 5m or 1h30m".to_owned())
}

fn parse(text: &str) -> Option<u64> {
    let (mut total, mut rest) = (0_u64, text);
    for (unit, factor) in UNITS {
        if let Some((number, behind)) = rest.split_once(unit) {
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let number: u64 = number.parse().ok().filter(|_| is_number)?;
            total = total.checked_add(number.checked_mul(factor)?)?;
            rest = behind;
        }
    }
    (rest.is_empty() && !text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_kubectl_or_seconds() {
        for (text, expected) in [("0", 0), ("90", 90), ("90s", 90), ("5m", 300), ("1h30m", 5400)] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in ["", "s", "-1s", "1m1h", "5 m", "m5", "1.5h", "99999999999999999999h"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
