//! IP ranges in CIDR notation. Says whether a range is well formed; allocates nothing.

use std::net::IpAddr;

use crate::error::{ErrorCode, PluginError, PluginResult};

/// IP versions that a list of ranges covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IpVersions {
    /// There is an IPv4 range.
    pub v4: bool,
    /// There is an IPv6 range.
    pub v6: bool,
}

/// Reads `range`, for example `192.168.0.0/16`, as its address and prefix length.
///
/// # Errors
/// A sentence fragment that says what is wrong: no `/`, no address, a prefix that is too long.
pub fn parse(range: &str) -> Result<(IpAddr, u8), String> {
    let (address, prefix) =
        range.split_once('/').ok_or(format!("`{range}` has no prefix length, as in 10.0.0.0/8"))?;
    let address: IpAddr =
        address.parse().map_err(|_| format!("`{address}` in `{range}` is not an IP address"))?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    match prefix.parse::<u8>() {
        Ok(length) if length <= longest => Ok((address, length)),
        _ => Err(format!("`/{prefix}` in `{range}` is not a prefix length of 0 to {longest}")),
    }
}

/// Returns the IP versions that `ranges` cover.
///
/// # Errors
/// [`ErrorCode::InvalidRequest`] for a range that [`parse`] refuses.
pub fn versions<'a>(ranges: impl IntoIterator<Item = &'a str>) -> PluginResult<IpVersions> {
    let mut found = IpVersions::default();
    for range in ranges {
        let (address, _) =
            parse(range).map_err(|why| PluginError::new(ErrorCode::InvalidRequest, why))?;
        match address {
            IpAddr::V4(_) => found.v4 = true,
            IpAddr::V6(_) => found.v6 = true,
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_both_ip_versions() {
        for (range, length) in [("10.96.0.0/12", 12), ("0.0.0.0/0", 0), ("fd00:10:244::/56", 56)] {
            assert_eq!(parse(range).map(|(_, found)| found), Ok(length), "{range}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (range, part) in [
            ("10.0.0.0", "no prefix length"),
            ("10.0.0/8", "not an IP address"),
            ("10.0.0.0/33", "0 to 32"),
            ("fd00::/129", "0 to 128"),
            ("10.0.0.0/-1", "not a prefix length"),
            ("", "no prefix length"),
        ] {
            let why = parse(range).expect_err("a malformed range is refused");
            assert!(why.contains(part), "{range}: {why}");
        }
    }

    #[test]
    fn finds_dual_stack() {
        let found = versions(["10.0.0.0/8", "fd00::/64"]).expect("both ranges are valid");
        assert_eq!(found, IpVersions { v4: true, v6: true });
    }
}
