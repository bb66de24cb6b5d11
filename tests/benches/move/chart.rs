//! The figures as a picture: seconds over the size of the fleet, both in powers of ten.

use std::path::Path;

use plotters::prelude::*;

use super::contender::Contender;
use super::table::Row;

const WIDTH: u32 = 900;
const HEIGHT: u32 = 480;

/// Draws one panel for each round trip, side by side.
pub(crate) fn draw(rows: &[Row], file: &Path) {
    let root = SVGBackend::new(file, (WIDTH, HEIGHT)).into_drawing_area();
    root.fill(&WHITE).expect("a file that can be written");
    let mut round_trips: Vec<u64> = rows.iter().map(|row| row.round_trip).collect();
    round_trips.dedup();
    for (panel, round_trip) in root.split_evenly((1, round_trips.len())).iter().zip(round_trips) {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.round_trip == round_trip).collect();
        draw_panel(panel, round_trip, &rows).expect("a file that can be written");
    }
    root.present().expect("a file that can be written");
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_panel(
    panel: &Area<'_>,
    round_trip: u64,
    rows: &[&Row],
) -> Result<(), Box<dyn std::error::Error>> {
    let most = rows.iter().map(|row| row.clusters).max().unwrap_or(1).max(2) as f64;
    let slowest = rows.iter().flat_map(|row| row.contenders().filter_map(|c| row.seconds(c)));
    let slowest = slowest.fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(panel)
        .caption(format!("round trip {round_trip} ms"), ("sans-serif", 16))
        .margin(8)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d((1.0..most).log_scale(), (0.1..slowest * 1.5).log_scale())?;
    chart.configure_mesh().x_desc("Clusters").y_desc("seconds").draw()?;
    let mut contenders: Vec<Contender> = rows.iter().flat_map(|row| row.contenders()).collect();
    contenders.sort();
    contenders.dedup();
    for (number, contender) in contenders.into_iter().enumerate() {
        let color = Palette99::pick(number).to_rgba();
        let points =
            rows.iter().filter_map(|row| Some((row.clusters as f64, row.seconds(contender)?)));
        let points: Vec<(f64, f64)> = points.collect();
        let line = LineSeries::new(points.iter().copied(), color.stroke_width(2)).point_size(3);
        let drawn = chart.draw_series(line)?.label(contender.to_string());
        drawn.legend(move |(x, y)| Rectangle::new([(x, y - 2), (x + 12, y + 2)], color.filled()));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).draw()?;
    Ok(())
}
