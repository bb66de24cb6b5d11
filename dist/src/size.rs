//! The size of the program, which krew downloads at every upgrade.

use crate::error::DistError;
use crate::target::Target;

/// Bytes that a released program has at most.
pub const SIZE_LIMIT: u64 = 15_000_000;

/// The target that is built on every change, so that the change is known that makes it too large.
const HELD: &str = "x86_64-unknown-linux-gnu";

/// Says how large a program is.
///
/// # Errors
/// The program for amd64 on Linux is above the limit. Programs for other targets are made in
/// releases only, and would hold up one.
pub fn size_of_program(target: Target, bytes: u64) -> Result<String, DistError> {
    let (megabytes, limit) = (bytes as f64 / 1e6, SIZE_LIMIT as f64 / 1e6);
    match bytes <= SIZE_LIMIT {
        true => Ok(format!("{megabytes:.2} MB of at most {limit:.1}")),
        false if target.triple == HELD => Err(DistError::Size { bytes }),
        false => Ok(format!("{megabytes:.2} MB, ABOVE THE LIMIT of {limit:.1} MB")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_above_the_limit_is_no_release() {
        let held = Target::of_triple(HELD).expect("a target");
        let says = |target, bytes| size_of_program(target, bytes).expect("no error");
        assert_eq!(says(held, 14_320_000), "14.32 MB of at most 15.0");
        assert_eq!(says(held, SIZE_LIMIT), "15.00 MB of at most 15.0");
        let error = size_of_program(held, SIZE_LIMIT + 1).expect_err("above the limit");
        assert!(error.hint().is_some_and(|hint| hint.contains("releases.md")), "{error}");
        let other = Target::of_triple("aarch64-apple-darwin").expect("a target");
        assert_eq!(says(other, 17_800_000), "17.80 MB, ABOVE THE LIMIT of 15.0 MB");
    }
}
