//! Those who move the same fleets, and the lines through which they do it.

use std::fmt;
use std::time::Duration;

use cluster::{Client, KubeconfigRef};
use kubectl_pivot_tests::population::Population;
use kubectl_pivot_tests::program::Program;
use kubectl_pivot_tests::twins::{Fixture, Pair, Twins};

use super::Args;
use super::delay_line::DelayLine;
use super::floor;
use super::measured::{Measured, Stopwatch};

/// One way to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    /// The real `clusterctl move`.
    Clusterctl,
    /// `kubectl pivot move`.
    Ours,
    /// `kubectl pivot move --batch-size`.
    Batches(usize),
    /// Five writes for each object, without order, checks or pauses.
    Floor,
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clusterctl => f.write_str("clusterctl"),
            Self::Ours => f.write_str("kubectl-pivot"),
            Self::Batches(size) => write!(f, "kubectl-pivot, batches of {size}"),
            Self::Floor => f.write_str("bare writes"),
        }
    }
}

impl Contender {
    /// All that move a fleet of this size.
    pub(crate) fn all(args: &Args, clusters: usize) -> Vec<Self> {
        let theirs = (clusters <= args.clusterctl_up_to).then_some(Self::Clusterctl);
        let batches = args.batch_size.filter(|size| *size < clusters).map(Self::Batches);
        theirs.into_iter().chain([Self::Ours, Self::Floor]).chain(batches).collect()
    }

    /// The clusters between which it moves.
    pub(crate) fn pair(self, twins: &Twins) -> &Pair {
        match self {
            Self::Clusterctl => &twins.theirs,
            Self::Ours | Self::Batches(_) | Self::Floor => &twins.ours,
        }
    }
}

/// The clusters, with lines of one length in front of all.
pub(crate) struct Track<'a> {
    twins: &'a Twins,
    clusterctl: Program,
    ours: Program,
    theirs_at: Ends,
    ours_at: Ends,
}

/// The kubeconfigs of a pair through its lines.
struct Ends {
    source: String,
    target: String,
    _lines: Vec<DelayLine>,
}

impl<'a> Track<'a> {
    /// Puts up the lines.
    pub(crate) async fn set(fixture: &Fixture, twins: &'a Twins, round_trip: u64) -> Self {
        Self {
            twins,
            clusterctl: fixture.clusterctl(),
            ours: fixture.kubectl_pivot(),
            theirs_at: Ends::set(fixture, &twins.theirs, ("theirs", round_trip)).await,
            ours_at: Ends::set(fixture, &twins.ours, ("ours", round_trip)).await,
        }
    }

    /// Has one of them move a fleet, and measures it.
    pub(crate) async fn measure(&self, contender: Contender, namespace: &str) -> Measured {
        let pair = contender.pair(self.twins);
        let objects = match contender {
            Contender::Floor => {
                pair.target.populate(&Population::new(namespace)).await;
                floor::objects(&pair.source, namespace).await
            }
            _ => Vec::new(),
        };
        let watch = Stopwatch::start(pair, namespace).await;
        match contender {
            Contender::Clusterctl => {
                let args = self.theirs_at.move_args(namespace);
                watch.program(&self.clusterctl, &args).await
            }
            Contender::Ours => watch.program(&self.ours, &self.our_args(namespace, None)).await,
            Contender::Batches(size) => {
                watch.program(&self.ours, &self.our_args(namespace, Some(size))).await
            }
            Contender::Floor => {
                let source = client(&self.ours_at.source).await;
                let target = client(&self.ours_at.target).await;
                watch.future(floor::move_all(&source, &target, objects)).await
            }
        }
    }

    fn our_args(&self, namespace: &str, batch_size: Option<usize>) -> Vec<String> {
        let mut args = self.ours_at.move_args(namespace);
        args.extend(["-o", "json", "--quiet", "--yes"].map(str::to_owned));
        args.extend(batch_size.into_iter().map(|size| format!("--batch-size={size}")));
        args
    }
}

impl Ends {
    async fn set(fixture: &Fixture, pair: &Pair, (name, round_trip): (&str, u64)) -> Self {
        let folder = fixture.folder(&format!("lines-{name}-{round_trip}"));
        let mut lines = Vec::new();
        let mut paths = Vec::new();
        for (plane, side) in [(&pair.source, "source"), (&pair.target, "target")] {
            let server = plane.client().server();
            let line = DelayLine::start(server, Duration::from_millis(round_trip)).await;
            let file = folder.join(format!("{side}.kubeconfig"));
            let path = line.write_kubeconfig(server, plane.kubeconfig(), file);
            paths.push(path.display().to_string());
            lines.push(line);
        }
        let target = paths.pop().unwrap_or_default();
        Self { source: paths.pop().unwrap_or_default(), target, _lines: lines }
    }

    fn move_args(&self, namespace: &str) -> Vec<String> {
        let flags = ["move", "--kubeconfig", &self.source, "--to-kubeconfig", &self.target, "-n"];
        flags.into_iter().chain([namespace]).map(str::to_owned).collect()
    }
}

async fn client(kubeconfig: &str) -> Client {
    let client = Client::connect("floor", &KubeconfigRef::file(kubeconfig)).await;
    client.expect("the line leads to the API server")
}
