//! The page of `cargo xtask bench --growth`, from its JSON: `growth_page target/bench/growth.json > growth.html`.

use std::time::SystemTime;

use kohort_report::{
    Axis, Grid, Highlight, LinePlot, Note, NoteKind, Point, Reference, ReferenceKind, Report, Section,
    Series, render_html,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Growth {
    ours: String,
    kernels: Option<String>,
    threads: u32,
    rounds: u32,
    machine_text: String,
    axes: Vec<Measured>,
}

#[derive(Deserialize)]
struct Measured {
    title: String,
    x: String,
    of: String,
    cost: String,
    unit: String,
    curves: Vec<Curve>,
}

#[derive(Deserialize)]
struct Curve {
    name: String,
    wanted: Option<String>,
    points: Vec<At>,
    times: Option<f64>,
    exponent: Option<f64>,
    complaint: Option<String>,
}

#[derive(Deserialize)]
struct At {
    x: f64,
    cost: f64,
    low: f64,
    high: f64,
    floor: Option<f64>,
    of_floor: Option<f64>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: growth_page <growth.json>")?;
    let growth: Growth = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    print!("{}", render_html(&page(&growth)?));
    Ok(())
}

fn page(growth: &Growth) -> Result<Report, Box<dyn std::error::Error>> {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let mut report = Report::new(
        "How cost grows",
        date(seconds),
        growth.kernels.clone().unwrap_or_else(|| "unknown".into()),
    );
    report.lead = "One quantity at a time, all else being equal. Where both axes of a plot are logarithmic, a line of slope one is \
                   linear growth; a level one is none. The floor is what this machine needs for the products at its best \
                   rate and for the bytes of weights, moments and touched rows; it counts no activation and no overhead. Searches for \
                   cohorts have none."
        .into();
    report.fact("Program", &growth.ours);
    report.fact("Machine", &growth.machine_text);
    report.fact("Threads", growth.threads.to_string());
    report
        .fact("Points", format!("median of {} rounds, bands from the fastest to the slowest", growth.rounds));
    for axis in &growth.axes {
        report.highlights.extend(axis.curves.iter().filter_map(|curve| card(axis, curve)));
        report.sections.push(section(axis));
    }
    Ok(report)
}

/// What is wanted of a curve, where anything is, and what it does.
fn card(axis: &Measured, curve: &Curve) -> Option<Highlight> {
    let (value, what) = match curve.wanted.as_deref()? {
        "flat" => (format!("{:.2} ×", curve.times?), "the last point over the first; wanted is 1"),
        _ => (format!("power {:.2}", curve.exponent?), "between the last two points; wanted is at most 1"),
    };
    // Chips of reports speak of papers; here words do.
    let detail = match curve.complaint {
        None => what.to_string(),
        Some(_) => format!("{what}; not reached"),
    };
    Some(Highlight { label: axis.title.clone(), value, detail, verdict: None })
}

fn section(axis: &Measured) -> Section {
    let mut series = Vec::new();
    for curve in &axis.curves {
        let points = curve.points.iter().map(|at| Point {
            x: at.x,
            y: at.cost,
            low: Some(at.low),
            high: Some(at.high),
        });
        series.push(Series { name: curve.name.clone(), points: points.collect() });
        let name = match axis.curves.len() {
            1 => "floor".to_string(),
            _ => format!("floor, {}", curve.name),
        };
        let floors: Vec<_> = curve.points.iter().filter_map(|at| Some((at.x, at.floor?))).collect();
        if !floors.is_empty() {
            series.push(Series::new(name, floors));
        }
    }
    let times = || series.iter().flat_map(|series: &Series| series.points.iter().map(|point| point.y));
    let (low, high) = (times().fold(f64::INFINITY, f64::min), times().fold(0.0, f64::max));
    // Less than a decade would get a tick or two on a logarithmic axis. A linear one begins at nothing, so that small differences look
    // small.
    let y = Axis::new(&axis.cost).unit(&axis.unit);
    let (y, references) = match high < 10.0 * low {
        true => (y, vec![Reference::new(ReferenceKind::Floor, "nothing", 0.0)]),
        false => (y.log(), Vec::new()),
    };
    let plot = LinePlot { title: axis.title.clone(), x: Axis::new(&axis.x).log(), y, series, references };
    let line = |curve: &Curve, at: &At| {
        vec![
            curve.name.clone(),
            format!("{}", at.x),
            format!("{:.3}", at.cost),
            format!("{:.3} to {:.3}", at.low, at.high),
            at.floor.map_or("–".into(), |floor| format!("{floor:.3}")),
            at.of_floor.map_or("–".into(), |of| format!("{of:.2}")),
        ]
    };
    let lines = axis.curves.iter().flat_map(|curve| curve.points.iter().map(move |at| line(curve, at)));
    let header = ["curve", &axis.x, &axis.unit, "from to", "floor", "of floor"].map(String::from).to_vec();
    let mut section = Section::new(&axis.title).prose(format!("{}.", axis.of)).block(plot);
    for complaint in axis.curves.iter().filter_map(|curve| curve.complaint.as_ref()) {
        section = section.block(Note::new(NoteKind::Warning, format!("{}: {complaint}.", axis.title)));
    }
    section.block(Grid {
        caption: "Medians, fastest and slowest rounds".into(),
        header,
        lines: lines.collect(),
    })
}

/// Days to a civil date, after Howard Hinnant's `days_from_civil`, turned round.
fn date(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let part = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * part + 2) / 5 + 1, if part < 10 { part + 3 } else { part - 9 });
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", seconds % 86_400 / 3_600, seconds % 3_600 / 60)
}
