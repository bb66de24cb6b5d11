//! The size of the program, which krew downloads at every upgrade.

/// Bytes that a released program should have at most.
pub const SIZE_LIMIT: u64 = 15_000_000;

/// Says how large a program is, and if it is too large.
pub fn size_of_program(bytes: u64) -> String {
    let (megabytes, limit) = (bytes as f64 / 1e6, SIZE_LIMIT as f64 / 1e6);
    match bytes <= SIZE_LIMIT {
        true => format!("{megabytes:.1} MB of at most {limit:.1}"),
        false => format!("{megabytes:.1} MB, ABOVE THE LIMIT of {limit:.1} MB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_above_the_limit_is_called_so() {
        assert_eq!(size_of_program(14_320_000), "14.3 MB of at most 15.0");
        assert!(!size_of_program(SIZE_LIMIT).contains("ABOVE"));
        assert_eq!(size_of_program(17_800_000), "17.8 MB, ABOVE THE LIMIT of 15.0 MB");
    }
}
