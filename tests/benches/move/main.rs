//! A move by kubectl-pivot beside one by clusterctl and beside the least that any move could do:
//! the same fleets, in the same run, through lines of the same length.
//!
//! `cargo bench -p kubectl-pivot-tests --bench move -- 1 10 50` measures fleets of 1, 10 and 50
//! Clusters and prints a table; `--help` lists the options. Nothing is asserted about time.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod chart;
mod contender;
mod delay_line;
mod floor;
mod measured;
mod page;
mod pauses;
mod table;

use clap::Parser;
use kubectl_pivot_tests::population::Population;
use kubectl_pivot_tests::twins::{Fixture, Plane, Twins};
use sandbox::fleet::{self, FleetOptions};
use support::journal::Events;

use self::contender::{Contender, Track};
use self::table::Row;

/// Workers of each cluster.
const WORKERS: usize = 3;

/// The moves to measure.
#[derive(Debug, Parser)]
struct Args {
    /// Numbers of Clusters.
    #[arg(default_values_t = [1, 10])]
    fleets: Vec<usize>,
    /// Round trips between a program and the API servers, in milliseconds.
    #[arg(long, value_delimiter = ',', default_values_t = [0])]
    round_trip: Vec<u64>,
    /// Moves of each fleet by each program; the median counts.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Largest fleet that clusterctl moves.
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    clusterctl_up_to: usize,
    /// Also move in batches of this size.
    #[arg(long)]
    batch_size: Option<usize>,
    /// Write the page of the reference and its chart.
    #[arg(long)]
    write: bool,
    /// Cargo says this to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let fixture = Fixture::set().await;
    let twins = fixture.twins().await;
    let mut number = 0;
    warm_up(&fixture, &twins).await;
    let mut rows = Vec::new();
    println!("{}", table::HEAD);
    for round_trip in &args.round_trip {
        let track = Track::set(&fixture, &twins, *round_trip).await;
        for clusters in &args.fleets {
            let mut row = Row::new(*clusters, *round_trip);
            for round in 0..args.rounds.max(1) {
                // Nobody is always the first.
                let mut contenders = Contender::all(&args, *clusters);
                let first = round % contenders.len();
                contenders.rotate_left(first);
                for contender in contenders {
                    number += 1;
                    let namespace = format!("fleet-{number}");
                    let pair = contender.pair(&twins);
                    row.objects = grow(&pair.source, &namespace, *clusters).await;
                    row.add(contender, track.measure(contender, &namespace).await);
                }
            }
            println!("{row}");
            rows.push(row);
        }
    }
    if args.write {
        page::write(&rows);
    }
}

/// Everything is built, loaded and connected once before anything is measured.
async fn warm_up(fixture: &Fixture, twins: &Twins) {
    for pair in [&twins.theirs, &twins.ours] {
        pair.source.populate(&Population::new("warm-up")).await;
    }
    twins.theirs.move_by_clusterctl(fixture, "warm-up").await;
    twins.ours.move_by_us(fixture, "warm-up").await;
}

async fn grow(plane: &Plane, namespace: &str, clusters: usize) -> usize {
    plane.populate(&Population::new(namespace)).await;
    let namespace = namespace.to_owned();
    let options = FleetOptions { clusters, workers: WORKERS, namespace, ..FleetOptions::default() };
    fleet::create(plane.client(), &options, &Events::none()).await.expect("a fleet").objects
}
