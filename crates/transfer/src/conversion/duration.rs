//! Durations as Go writes and reads them.

/// Units with their nanoseconds. Go reads both signs for micro.
const UNITS: [(&str, u64); 8] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1000),
    ("\u{b5}s", 1000),
    ("\u{3bc}s", 1000),
    ("ns", 1),
];

/// Nanoseconds of a duration as `time.ParseDuration` reads it: `1h0m0s`, `1.5h`, `-300ms`. As
/// there, `0` needs no unit, and what is smaller than a nanosecond is left out.
pub(super) fn duration(text: &str) -> Option<i128> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    match rest {
        "" => return None,
        "0" => return Some(0),
        _ => {}
    }
    let mut total = 0;
    while !rest.is_empty() {
        let (part, after) = part(rest)?;
        total += part;
        rest = after;
    }
    Some(sign * total)
}

/// One number with its unit, and the text after it.
fn part(text: &str) -> Option<(i128, &str)> {
    let is_of_number = |letter: char| letter.is_ascii_digit() || letter == '.';
    let (number, rest) = text.split_at(text.find(|letter| !is_of_number(letter))?);
    let length = rest.find(is_of_number).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(length);
    let (_, unit) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 = match whole {
        "" if fraction.is_empty() => return None,
        "" => 0,
        digits => digits.parse().ok()?,
    };
    let nanoseconds = i128::from(whole) * i128::from(unit) + of_fraction(fraction, unit)?;
    Some((nanoseconds, rest))
}

/// Nanoseconds of the digits after the point. Of more than 18 the rest says nothing.
fn of_fraction(digits: &str, unit: u64) -> Option<i128> {
    if digits.is_empty() {
        return Some(0);
    }
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits = digits.get(..18).unwrap_or(digits);
    let value: u64 = digits.parse().ok()?;
    let scale = 10_i128.pow(u32::try_from(digits.len()).ok()?);
    Some(i128::from(value) * i128::from(unit) / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_the_same_however_it_is_written() {
        for (a, b) in [
            ("300s", "5m0s"),
            ("1.5h", "1h30m0s"),
            ("1h0m0s", "3600s"),
            ("0.25s", "250ms"),
            (".5m", "30s"),
            ("1.s", "1000ms"),
            ("1us", "1000ns"),
            ("1\u{b5}s", "1\u{3bc}s"),
            ("0", "0s"),
            ("-1m", "-60s"),
            ("+1m", "60s"),
        ] {
            assert!(duration(a).is_some(), "{a}");
            assert_eq!(duration(a), duration(b), "{a} {b}");
        }
        assert_ne!(duration("1500ms"), duration("1s"));
        assert_ne!(duration("1ns"), duration("0s"));
        assert_ne!(duration("1m"), duration("-1m"));
    }

    #[test]
    fn a_text_that_go_does_not_read_is_no_duration() {
        for text in ["", "10", "a", "-", "+", ".", ".s", "1.2.3s", "s", "1d", "1h30", "1 s", "--1s"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
