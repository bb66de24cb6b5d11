//! GET requests for released files: bounded in length and time, over redirects that stay safe, with
//! the proxy of the environment.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use cluster::{ProxyVariables, make_client};
use http::header::LOCATION;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use kube::client::Body;
use support::causes::in_one_line;
use support::journal::Events;

use super::error::DownloadError;
use super::places;
use own_files::private;

/// Time for a connection, and for an answer to begin.
const FIRST_ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// Time in which more has to come.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);
/// Time for all of a file.
const LONGEST_DOWNLOAD: Duration = Duration::from_secs(1200);
/// Redirects that are followed: releases have one or two.
const MOST_REDIRECTS: usize = 5;
/// The time between two reports of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(2);

/// A file to download.
pub(super) struct Wanted<'a> {
    /// The address.
    pub(super) url: &'a str,
    /// A name for messages.
    pub(super) what: &'a str,
    /// The most bytes.
    pub(super) limit: u64,
}

impl Wanted<'_> {
    /// Downloads a text.
    pub(super) async fn text(&self, events: &Events) -> Result<String, DownloadError> {
        let mut bytes = Vec::new();
        self.copy(&mut bytes, events).await?;
        String::from_utf8(bytes).map_err(|_| DownloadError::Content {
            url: self.url.to_owned(),
            problem: "it is not a text".to_owned(),
        })
    }

    /// Downloads into a new file, which only its owner can read.
    pub(super) async fn file(&self, path: &Path, events: &Events) -> Result<(), DownloadError> {
        let mut file = private::create_new(path).map_err(|error| self.failed(error))?;
        self.copy(&mut file, events).await
    }

    async fn copy(&self, to: &mut impl Write, events: &Events) -> Result<(), DownloadError> {
        let all = tokio::time::timeout(LONGEST_DOWNLOAD, self.copy_all(to, events)).await;
        all.unwrap_or_else(|_| {
            let seconds = LONGEST_DOWNLOAD.as_secs();
            Err(self.failed(format!("it was not there after {seconds} s")))
        })
    }

    async fn copy_all(&self, to: &mut impl Write, events: &Events) -> Result<(), DownloadError> {
        let answer = self.answer().await?;
        let length = answer.headers().get(http::header::CONTENT_LENGTH);
        let length = length.and_then(|text| text.to_str().ok()?.parse::<u64>().ok());
        let too_long = || DownloadError::TooLong { url: self.url.to_owned(), limit: self.limit };
        if length.is_some_and(|length| length > self.limit) {
            return Err(too_long());
        }
        let (mut body, mut done, mut reported) = (answer.into_body(), 0_u64, Instant::now());
        events.doing(self.progress(done, length));
        loop {
            let frame = tokio::time::timeout(LONGEST_SILENCE, body.frame()).await;
            let frame = frame.map_err(|_| self.failed("nothing more comes"))?;
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|error| self.failed(in_one_line(&error)))?;
            let Some(data) = frame.data_ref() else { continue };
            done += data.len() as u64;
            if done > self.limit {
                return Err(too_long());
            }
            to.write_all(data).map_err(|error| self.failed(error))?;
            if reported.elapsed() > PROGRESS_INTERVAL {
                (reported, _) = (Instant::now(), events.doing(self.progress(done, length)));
            }
        }
        match length {
            Some(length) if length != done => {
                Err(self.failed(format!("it ended after {done} of {length} bytes")))
            }
            _ => Ok(()),
        }
    }

    fn progress(&self, done: u64, length: Option<u64>) -> String {
        let mega = |bytes: u64| bytes / 1_000_000;
        match length {
            Some(length) => {
                format!("downloading {} ({} of {} MB)", self.what, mega(done), mega(length))
            }
            None => format!("downloading {} ({} MB)", self.what, mega(done)),
        }
    }

    /// The answer at the end of all redirects.
    async fn answer(&self) -> Result<Response<Body>, DownloadError> {
        let mut url = places::check(self.url)?;
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.get(&url).await?;
            if answer.status() == StatusCode::OK {
                return Ok(answer);
            }
            let location =
                answer.headers().get(LOCATION).filter(|_| answer.status().is_redirection());
            let Some(location) = location.and_then(|location| location.to_str().ok()) else {
                let (url, status) = (url.to_string(), answer.status());
                return Err(DownloadError::Status { url, status });
            };
            url = self.follow(&url, location)?;
        }
        Err(self.failed(format!("more than {MOST_REDIRECTS} redirects")))
    }

    /// A redirect leads to a whole URL or to a path; never from TLS to none.
    fn follow(&self, from: &Uri, location: &str) -> Result<Uri, DownloadError> {
        let whole = match location.starts_with('/') {
            true => {
                let authority = from.authority().map_or("", |authority| authority.as_str());
                format!("{}://{authority}{location}", from.scheme_str().unwrap_or("https"))
            }
            false => location.to_owned(),
        };
        let to = places::check(&whole)?;
        if from.scheme_str() == Some("https") && to.scheme_str() != Some("https") {
            return Err(self.failed("it redirects to an address without TLS"));
        }
        Ok(to)
    }

    async fn get(&self, url: &Uri) -> Result<Response<Body>, DownloadError> {
        let authority = url.authority().map_or("", |authority| authority.as_str());
        let origin = format!("{}://{authority}", url.scheme_str().unwrap_or("https"));
        let mut config = kube::Config::new(origin.parse().map_err(|error| self.failed(error))?);
        config.proxy_url = ProxyVariables::of_process().proxy_for(url);
        let client = make_client(config).await.map_err(|problem| self.failed(problem))?;
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        let request = Request::get(path).header(http::header::USER_AGENT, "kubectl-pivot");
        let request = request.body(Body::empty()).map_err(|error| self.failed(error))?;
        match tokio::time::timeout(FIRST_ANSWER_TIMEOUT, client.send(request)).await {
            Ok(answer) => answer.map_err(|error| self.failed(in_one_line(&error))),
            Err(_) => {
                Err(self.failed(format!("no answer within {} s", FIRST_ANSWER_TIMEOUT.as_secs())))
            }
        }
    }

    fn failed(&self, problem: impl ToString) -> DownloadError {
        DownloadError::Unreachable { url: self.url.to_owned(), problem: problem.to_string() }
    }
}

/// Checks a downloaded file by its checksum.
pub(super) fn check_sum<D: sha2::Digest>(
    path: &Path,
    url: &str,
    (expected, expected_by): (&str, &str),
) -> Result<(), DownloadError> {
    let failed = |error: io::Error| DownloadError::Unreachable {
        url: url.to_owned(),
        problem: format!("cannot read {}: {error}", path.display()),
    };
    let mut sum = Sum(D::new());
    let mut file = File::open(path).map_err(failed)?;
    io::copy(&mut file, &mut sum).map_err(failed)?;
    let found = hex::encode(sum.0.finalize());
    if found == expected {
        return Ok(());
    }
    let (url, expected_by) = (url.to_owned(), expected_by.to_owned());
    Err(DownloadError::Checksum { url, expected_by, expected: expected.to_owned(), found })
}

/// A checksum of what is written.
struct Sum<D>(D);

impl<D: sha2::Digest> Write for Sum<D> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
