//! The plots, as SVG.

use super::units;
use crate::campaign::Cell;
use crate::peer::{PROFILES, Peer};
use crate::scenario::{Mode, Pattern, SHARED_DEPTH, SIZES, Scenario, Wait, size};
use kuva::backend::svg::SvgBackend;
use kuva::plot::LinePlot;
use kuva::plot::legend::LegendPosition;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot as Series;
use kuva::render::render::render_multiple;
use std::sync::Arc;

/// A plot, drawn.
pub(super) struct Plot {
    /// Its file.
    pub(super) file: &'static str,
    /// What it shows.
    pub(super) title: &'static str,
    /// The drawing.
    pub(super) svg: String,
}

/// A value of a cell and where it goes.
type Point = (f64, f64);

/// What a plot shows.
struct Chart {
    file: &'static str,
    title: &'static str,
    x: (&'static str, fn(f64) -> String),
    y: (&'static str, fn(f64) -> String),
    /// Whether the horizontal axis is logarithmic; the vertical one always is.
    log_x: bool,
    points: fn(&Cell) -> Vec<Point>,
}

const CHARTS: [Chart; 5] = [
    Chart {
        file: "latency.svg",
        title: "Latency of a lone request, 64 B",
        x: ("percentile", percentile),
        y: ("us, logarithmic", units::micros),
        log_x: false,
        points: latencies,
    },
    Chart {
        file: "messages.svg",
        title: "Messages per second over size, 16 or 32 in flight",
        x: ("bytes of data per request", size_at),
        y: ("messages/s, logarithmic", short_count),
        log_x: false,
        points: |cell| busy(cell, |cell| Some(cell.figures.messages_per_second?.median)),
    },
    Chart {
        file: "bytes.svg",
        title: "Bytes per second over size, 16 or 32 in flight",
        x: ("bytes of data per request", size_at),
        y: ("bytes/s, logarithmic", short_count),
        log_x: false,
        points: |cell| busy(cell, |cell| Some(cell.figures.bytes_per_second?.median)),
    },
    Chart {
        file: "connections.svg",
        title: "Cost over connections, 4 KiB, 1000 in flight over all of them",
        x: ("connections", units::count),
        y: ("processor us per message, both ends, logarithmic", units::micros),
        log_x: true,
        points: |cell| shared(cell, |cell| Some(cell.figures.cpu_us?.median)),
    },
    Chart {
        file: "connections-messages.svg",
        title: "Messages per second over connections, 4 KiB, 1000 in flight over all of them",
        x: ("connections", units::count),
        y: ("messages/s, logarithmic", short_count),
        log_x: true,
        points: |cell| shared(cell, |cell| Some(cell.figures.messages_per_second?.median)),
    },
];

/// One colour per peer, the same in all plots; those that speak msgr2 are blue, bare sockets grey.
fn colour(peer: Peer) -> &'static str {
    match peer {
        Peer::Axon => "#0b5fff",
        Peer::Cpp => "#d1495b",
        Peer::AxonToCpp => "#7aa6ff",
        Peer::CppToAxon => "#e9a3ad",
        Peer::RadosRs => "#8f5bd6",
        Peer::Raw => "#333333",
        Peer::RawSum => "#999999",
        Peer::ZeroMq => "#edae49",
        Peer::Nng => "#66a182",
        Peer::Grpc => "#2ec4b6",
        Peer::Ucx => "#a0522d",
    }
}

/// Draws what there are figures for.
pub(super) fn all(cells: &[Cell]) -> Vec<Plot> {
    CHARTS.iter().filter_map(|chart| chart.draw(cells)).collect()
}

impl Chart {
    fn draw(&self, cells: &[Cell]) -> Option<Plot> {
        let peers = PROFILES.iter().map(|profile| profile.peer);
        let series: Vec<Series> = peers.filter_map(|peer| self.series(peer, cells)).collect();
        if series.is_empty() {
            return None;
        }
        let mut layout = Layout::auto_from_plots(&series)
            .with_title(self.title)
            .with_x_label(self.x.0)
            .with_y_label(self.y.0)
            .with_x_tick_format(ticks(self.x.1))
            .with_y_tick_format(ticks(self.y.1))
            .with_legend_position(LegendPosition::OutsideRightTop)
            .with_width(900.0)
            .with_height(520.0)
            .with_log_y();
        layout = match self.log_x {
            true => layout.with_log_x(),
            false => layout.with_x_tick_step(1.0),
        };
        let svg = SvgBackend.render_scene(&render_multiple(series, layout));
        Some(Plot { file: self.file, title: self.title, svg })
    }

    fn series(&self, peer: Peer, cells: &[Cell]) -> Option<Series> {
        let own = cells.iter().filter(|cell| cell.peer == peer);
        let mut points: Vec<Point> = own.flat_map(self.points).filter(|(_, y)| *y > 0.0).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        // At one size the deepest of several depths: it comes last.
        let points: Vec<Point> = points
            .iter()
            .enumerate()
            .filter(|(i, p)| points.get(i + 1).is_none_or(|n| n.0 > p.0))
            .map(|(_, p)| *p)
            .collect();
        if points.len() < 2 {
            return None;
        }
        let width = if peer == Peer::Axon { 3.5 } else { 1.8 };
        let line = LinePlot::new().with_data(points).with_color(colour(peer)).with_stroke_width(width);
        Some(Series::Line(line.with_legend(peer.profile().title)))
    }
}

fn ticks(text: fn(f64) -> String) -> TickFormat {
    TickFormat::Custom(Arc::new(text))
}

fn latencies(cell: &Cell) -> Vec<Point> {
    if cell.scenario != Scenario::requests(64, 1) {
        return Vec::new();
    }
    let figures = &cell.figures;
    let quantiles = [figures.p50_us, figures.p90_us, figures.p99_us, figures.p999_us];
    let points = quantiles.into_iter().enumerate();
    points.filter_map(|(index, value)| Some((index as f64, value?.median))).collect()
}

fn percentile(place: f64) -> String {
    named(place, ["p50", "p90", "p99", "p99.9"].map(str::to_owned))
}

fn size_at(place: f64) -> String {
    named(place, SIZES.map(size))
}

/// The name of a place on an axis that has four.
fn named(place: f64, names: [String; 4]) -> String {
    names.into_iter().nth(place as usize).filter(|_| place.fract() == 0.0).unwrap_or_default()
}

/// The value of a cell with many requests in flight on one connection.
fn busy(cell: &Cell, value: fn(&Cell) -> Option<f64>) -> Vec<Point> {
    let Scenario { pattern, depth, connections, mode, wait, size } = cell.scenario;
    let plain = pattern == Pattern::Requests && mode == Mode::Crc && wait == Wait::Usual && connections == 1;
    let applies = plain && (16..=32).contains(&depth);
    let place = SIZES.iter().position(|known| *known == size);
    value(cell).zip(place).filter(|_| applies).map(|(y, place)| (place as f64, y)).into_iter().collect()
}

/// The value of a cell whose connections share a depth.
fn shared(cell: &Cell, value: fn(&Cell) -> Option<f64>) -> Vec<Point> {
    let applies = cell.scenario.depth == SHARED_DEPTH;
    value(cell).filter(|_| applies).map(|y| (f64::from(cell.scenario.connections), y)).into_iter().collect()
}

fn short_count(value: f64) -> String {
    match value {
        v if v >= 1e9 => format!("{} G", v / 1e9),
        v if v >= 1e6 => format!("{} M", v / 1e6),
        v if v >= 1e3 => format!("{} k", v / 1e3),
        v => format!("{v}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::{Latency, Report};
    use crate::sample::{Figures, Sample};

    fn cell(peer: Peer, scenario: Scenario) -> Cell {
        let latency_us = Some(Latency { p50: 10.0, p90: 20.0, p99: 30.0, p999: 40.0 });
        let report = Report { messages_per_second: 1e5, bytes_per_second: 1e8, latency_us, messages: 10_000 };
        let rounds = vec![Sample::new(report, None)];
        let measured = crate::stamp::Stamp::now(1.0);
        Cell { scenario, peer, figures: Figures::of(&rounds), rounds, discarded: 0, failure: None, measured }
    }

    #[test]
    fn what_was_measured_is_drawn() {
        let lone = cell(Peer::Nng, Scenario::requests(64, 1));
        let plots = all(&[lone]);
        let files: Vec<_> = plots.iter().map(|plot| plot.file).collect();
        assert_eq!(files, ["latency.svg"]);
        assert!(plots[0].svg.contains("<svg") && plots[0].svg.contains("nng"));
        assert!(all(&[]).is_empty());
    }

    #[test]
    fn of_two_depths_at_a_size_the_deeper_is_drawn_and_one_point_is_no_line() {
        let cells = [(64, 16), (64, 32), (4096, 32)].map(|(s, d)| cell(Peer::Axon, Scenario::requests(s, d)));
        let files: Vec<_> = all(&cells).iter().map(|plot| plot.file).collect();
        assert_eq!(files, ["messages.svg", "bytes.svg"]);
        assert!(all(&cells[..2]).is_empty());
    }

    #[test]
    fn places_have_names() {
        assert_eq!([percentile(3.0), percentile(0.5), percentile(9.0)], ["p99.9", "", ""]);
        assert_eq!(size_at(1.0), "4 KiB");
    }
}
