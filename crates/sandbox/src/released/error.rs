//! Released parts that cannot be had.

/// A released part could not be downloaded, or is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The address is not one to download from.
    #[error("cannot download from {url}: {problem}")]
    Address {
        /// The address.
        url: String,
        /// The reason.
        problem: String,
    },
    /// The server does not answer, or breaks off.
    #[error("cannot download {url}: {problem}")]
    Unreachable {
        /// The address.
        url: String,
        /// The reason.
        problem: String,
    },
    /// The server refuses.
    #[error("cannot download {url}: the server answers {status}")]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: http::StatusCode,
    },
    /// It is longer than anything that is expected there.
    #[error("{url} is longer than {limit} bytes")]
    TooLong {
        /// The address.
        url: String,
        /// The most bytes.
        limit: u64,
    },
    /// The checksum is another one.
    #[error("the checksum of {url} is wrong: it is {found}, and {expected_by} has {expected}")]
    Checksum {
        /// The address.
        url: String,
        /// The origin of the right one.
        expected_by: String,
        /// The right one.
        expected: String,
        /// The one that was computed.
        found: String,
    },
    /// The content cannot be used.
    #[error("{url} cannot be used: {problem}")]
    Content {
        /// The address.
        url: String,
        /// The reason.
        problem: String,
    },
    /// There is no release of it.
    #[error("{what} cannot be downloaded: {problem}")]
    NotReleased {
        /// The part.
        what: String,
        /// The reason.
        problem: String,
    },
}
