//! The figures as a table of Markdown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::contender::Contender;
use super::measured::Measured;

/// The first two lines of the table.
pub(crate) const HEAD: &str = "\
| round trip | clusters | objects | program | seconds | times faster than clusterctl \
| requests per object | memory | processor | pause: half of the Clusters | 99 % |
|---|---|---|---|---|---|---|---|---|---|---|";

/// A fleet on lines of one length, with the moves of each contender.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) clusters: usize,
    pub(crate) objects: usize,
    /// Milliseconds.
    pub(crate) round_trip: u64,
    moves: BTreeMap<Contender, Vec<Measured>>,
}

impl Row {
    pub(crate) fn new(clusters: usize, round_trip: u64) -> Self {
        Self { clusters, objects: 0, round_trip, moves: BTreeMap::new() }
    }

    /// Notes a move.
    pub(crate) fn add(&mut self, contender: Contender, measured: Measured) {
        self.moves.entry(contender).or_default().push(measured);
    }

    /// Those who have moved this fleet.
    pub(crate) fn contenders(&self) -> impl Iterator<Item = Contender> {
        self.moves.keys().copied()
    }

    /// Seconds of the median move.
    pub(crate) fn seconds(&self, contender: Contender) -> Option<f64> {
        self.median(contender).map(|measured| measured.wall.as_secs_f64())
    }

    fn median(&self, contender: Contender) -> Option<&Measured> {
        let mut moves: Vec<&Measured> = self.moves.get(&contender)?.iter().collect();
        moves.sort_by_key(|measured| measured.wall);
        moves.get(moves.len() / 2).copied()
    }

    fn line(&self, contender: Contender, measured: &Measured) -> String {
        let ratio = match (self.seconds(Contender::Clusterctl), self.seconds(contender)) {
            (Some(theirs), Some(own)) if contender != Contender::Clusterctl => {
                format!("{:.1}", theirs / own)
            }
            _ => String::new(),
        };
        let per_object = measured.requests as f64 / self.objects.max(1) as f64;
        let (memory, processor) = match &measured.usage {
            Some(usage) => {
                (format!("{} MiB", usage.peak_mib), format!("{:.1} s", usage.cpu.as_secs_f64()))
            }
            None => Default::default(),
        };
        format!(
            "| {} ms | {} | {} | {contender} | {:.2} | {ratio} | {per_object:.2} | {memory} \
             | {processor} | {} | {} |",
            self.round_trip,
            self.clusters,
            self.objects,
            measured.wall.as_secs_f64(),
            percentile(&measured.pauses, 50),
            percentile(&measured.pauses, 99),
        )
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self
            .contenders()
            .filter_map(|contender| Some(self.line(contender, self.median(contender)?)));
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}

/// A percentile of sorted times.
fn percentile(sorted: &[Duration], percent: usize) -> String {
    let last = sorted.len().saturating_sub(1);
    let time = sorted.get((last * percent).div_ceil(100));
    time.map(|time| format!("{:.2} s", time.as_secs_f64())).unwrap_or_default()
}
