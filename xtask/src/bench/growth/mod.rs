//! `cargo xtask bench --growth`: how the cost of a step grows with one quantity at a time.
//!
//! Our side alone, by examples that take their sizes from the command line. Results go to `target/bench/growth.json` and, drawn by
//! kohort-report, to `target/bench/growth.html`.

mod axes;
mod curve;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use self::axes::{AXES, Axis, Cost, Line};
use self::curve::{Curve, Point};
use super::builds::{self, Build};
use super::machine::{Least, Machine};
use super::{Flags, replace, summary, turns};
use crate::process::{self, OutsideBand};
use crate::workspace::Workspace;

/// An axis with its program and curves.
struct Measured {
    axis: &'static Axis,
    build: Build,
    /// For each cost a curve a line.
    curves: Vec<(Cost, Vec<Curve>)>,
}

pub(super) fn run(workspace: &Workspace, flags: &Flags, folder: &Path) -> Result<()> {
    let machine = Machine::measure(workspace, flags.threads)?;
    println!("this machine: {machine}");
    let mut all =
        AXES.iter().map(|axis| Measured::start(workspace, axis, flags)).collect::<Result<Vec<_>>>()?;
    let mut kernels = None;
    // Round by round over all points, so that a slow drift of the machine bends no curve.
    for round in 1..=flags.pairs {
        for measured in &mut all {
            eprintln!("growth: round {round} of {}, {}", flags.pairs, measured.axis.name);
            kernels = measured.round(&machine, flags.threads)?.or(kernels);
        }
    }
    let json = json!({
        "ours": concat!("kohort ", env!("CARGO_PKG_VERSION")),
        "kernels": kernels,
        "threads": flags.threads,
        "rounds": flags.pairs,
        "machine": machine.json(),
        "machine_text": machine.to_string(),
        "axes": all.iter().flat_map(Measured::json).collect::<Value>(),
    });
    let results = folder.join("growth.json");
    replace(&results, &(serde_json::to_string_pretty(&json)? + "\n"))?;
    let page = builds::one(workspace, "kohort-report", "growth_page", builds::PURE)?;
    let html = process::read(Command::new(&page.program).arg(&results))?;
    let shown = folder.join("growth.html");
    replace(&shown, &html)?;
    print!("{}", table(&all));
    println!("results: {}, {}", results.display(), shown.display());
    let complaints: Vec<String> = all.iter().flat_map(Measured::complaints).collect();
    if complaints.is_empty() { Ok(()) } else { Err(anyhow!(OutsideBand(complaints.join("; ")))) }
}

impl Measured {
    fn start(workspace: &Workspace, axis: &'static Axis, flags: &Flags) -> Result<Measured> {
        let points = || {
            let allowed = axis.values.iter().filter(|&&x| axis.key.is_some() || x <= flags.threads as usize);
            allowed.map(|&x| Point { x, costs: Vec::new(), floor: None }).collect()
        };
        let curve = |line: &Line| Curve { name: line.name, wanted: line.wanted, points: points() };
        let build = builds::one(workspace, axis.package, axis.example, builds::PURE)?;
        let curves = axis.costs.iter().map(|&cost| (cost, axis.lines.iter().map(curve).collect())).collect();
        Ok(Measured { axis, build, curves })
    }

    /// Times every point once; what multiplied, as the program says it.
    fn round(&mut self, machine: &Machine, threads: u32) -> Result<Option<String>> {
        let (mut kernels, axis) = (None, self.axis);
        let points =
            self.curves.first().and_then(|(_, curves)| curves.first()).map_or(0, |curve| curve.points.len());
        for (at, line) in axis.lines.iter().enumerate() {
            for point in 0..points {
                let x = self.curves[0].1[at].points[point].x;
                let mut command = Command::new(&self.build.program);
                command.arg(axis.steps.to_string()).args(line.words);
                let threads = match axis.key {
                    Some(key) => {
                        command.arg(format!("{key}={x}"));
                        threads
                    }
                    None => u32::try_from(x).context("too many threads")?,
                };
                let said = turns::json(turns::one_turn(&mut command, threads))?;
                for (cost, curves) in &mut self.curves {
                    let point = &mut curves[at].points[point];
                    point.costs.push(turns::number(&said, cost.key())?);
                    point.floor =
                        machine.on(threads).zip(Least::of(&said)).map(|(rates, least)| rates.floor(least));
                }
                kernels = said.get("kernels").and_then(Value::as_str).map(str::to_string).or(kernels);
            }
        }
        Ok(kernels)
    }

    /// A plot for each cost.
    fn json(&self) -> impl Iterator<Item = Value> {
        let Axis { name, x, of, .. } = self.axis;
        self.curves.iter().map(move |(cost, curves)| {
            let curves = curves.iter().map(Curve::json).collect::<Value>();
            let title = cost.heading(self.axis.title);
            json!({ "name": name, "title": title, "x": x, "of": of, "cost": cost.title(), "unit": cost.unit(), "curves": curves })
        })
    }

    fn complaints(&self) -> impl Iterator<Item = String> {
        let of_curve = |(cost, curve): (&Cost, &Curve)| {
            curve.complaint().map(|text| format!("{}, {}: {text}", self.axis.name, cost.title()))
        };
        self.curves
            .iter()
            .flat_map(|(cost, curves)| curves.iter().map(move |curve| (cost, curve)))
            .filter_map(of_curve)
    }
}

/// A row for each point.
fn table(all: &[Measured]) -> String {
    let header = [
        ("growth", true),
        ("curve", true),
        ("at", false),
        ("cost", false),
        ("unit", true),
        ("floor", false),
        ("of floor", false),
    ];
    let mut rows = Vec::new();
    for measured in all {
        let curves =
            measured.curves.iter().flat_map(|(cost, curves)| curves.iter().map(move |curve| (cost, curve)));
        for (cost, curve) in curves {
            for point in &curve.points {
                rows.push(vec![
                    measured.axis.name.to_string(),
                    curve.name.to_string(),
                    point.x.to_string(),
                    format!("{:.3}", point.median()),
                    cost.unit().to_string(),
                    point.floor.map_or("–".to_string(), |floor| format!("{floor:.3}")),
                    point.of_floor().map_or("–".to_string(), |of| format!("{of:.2}")),
                ]);
            }
        }
    }
    summary::aligned(&header, &rows)
}
