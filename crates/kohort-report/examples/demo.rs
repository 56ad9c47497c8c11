//! A report with every kind of block, from invented numbers: `cargo run -p kohort-report --example demo > demo.html`.
//!
//! With `--markdown` or `--terminal` it prints the other renderings.

use kohort_report::{
    Axis, Bar, BarPlot, Block, Cloud, Column, FlowPlot, Grid, HeatMap, Highlight, LinePlot, Mark, Note,
    NoteKind, Point, ProtocolBox, Reference, ReferenceKind, Report, Row, ScatterPlot, Section, Series,
    Stream, Table, Verdict, render_html, render_markdown, render_terminal_summary,
};

fn main() {
    let rows = rows();
    match std::env::args().nth(1).as_deref() {
        Some("--markdown") => print!("{}", render_markdown(&report(&rows))),
        Some("--terminal") => print!("{}", render_terminal_summary(&rows)),
        _ => print!("{}", render_html(&report(&rows))),
    }
}

/// Invented: a smooth made-up ladder of systems.
fn rows() -> Vec<Row> {
    let systems =
        ["random", "popularity", "bias", "NMF", "SlopeOne", "SVD", "k-NN (baseline)", "SVD++", "DMTL"];
    let mut rows = Vec::new();
    for (at, name) in systems.iter().enumerate() {
        let step = at as f64 / 8.0;
        let row = |metric: &str, mean: f64, floor: f64, ceiling: f64| {
            Row::new("demo", "invented", metric)
                .protocol("b")
                .system(*name)
                .mean(mean)
                .interval(mean - 0.0021, mean + 0.0021)
                .seeds(5)
                .between(floor, ceiling)
                .p_value(if *name == "DMTL" { f64::NAN } else { 0.08 * step * step * step })
        };
        rows.push(row("P@10", 0.50 + 0.18 * step.sqrt(), 0.4911, 0.9723));
        rows.push(row("R@10", 0.60 + 0.21 * step.sqrt(), 0.6003, 1.0));
        rows.push(
            row("NDCG@10", 0.55 + 0.22 * step, 0.5410, 1.0).interval(0.54 + 0.22 * step, 0.555 + 0.22 * step),
        );
        if *name != "popularity" {
            rows.push(row("RMSE", 1.52 - 0.63 * step.powf(0.3), 1.5190, 0.0));
        }
        let paper = [("SVD", 0.61, 0.71), ("SVD++", 0.62, 0.73), ("DMTL", 0.6867, 0.8063)];
        if let Some((_, precision, recall)) = paper.iter().find(|(known, ..)| known == name) {
            for (metric, published) in [("P@10", *precision), ("R@10", *recall)] {
                let row = rows.iter_mut().rfind(|row| row.metric == metric).expect("pushed above");
                row.published = Some(published);
                (row.verdict, row.reason) = match *name {
                    "SVD" => {
                        (Some(Verdict::NotComparable), Some("the paper does not state the factors".into()))
                    }
                    "SVD++" => {
                        (Some(Verdict::NotReproduced), Some("ours is 0.05 higher than the table says".into()))
                    }
                    _ => (Some(Verdict::Reproduced), Some("within 0.01 of the published number".into())),
                };
            }
        }
    }
    rows
}

fn report(rows: &[Row]) -> Report {
    let mut report = Report::new(
        "Demo report with invented numbers",
        "2026-01-01 12:00 UTC",
        "OpenBLAS 0.3.21 (SkylakeX), 1 thread a call",
    );
    report.lead =
        "Every number on this page is made up to look at the layout. Nothing was trained or measured.".into();
    for (label, value, detail, verdict) in [
        ("RMSE, protocol a", "0.8900", "SVD++ 0.9193, target at most 0.895", None),
        ("P@10, protocol b", "0.6800", "paper 0.6867", Some(Verdict::Reproduced)),
        ("R@10, protocol b", "0.7410", "paper 0.8063", Some(Verdict::NotReproduced)),
        ("Real groups of ITM-Rec", "0.6120", "no published number", Some(Verdict::NotComparable)),
    ] {
        report.highlights.push(Highlight {
            label: label.into(),
            value: value.into(),
            detail: detail.into(),
            verdict,
        });
    }
    report.fact("Threads", "2");
    report.fact("Compiler", "rustc 1.95.0");
    report.fact("Data (invented)", "sha256 06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490");
    report.sections.push(main_section(rows));
    report.sections.push(sweep_section());
    report.sections.push(attention_section());
    report.sections.push(discovery_section());
    report.sections.push(
        Section::new("What was skipped").block(Note::new(
            NoteKind::Skipped,
            "Real groups: the file group_ratings.csv was not found in the mirror; run cargo xtask data itm-rec.",
        )).block(Grid {
            caption: "Files looked for".into(),
            header: vec!["File".into(), "Where".into(), "Verdict".into()],
            lines: vec![
                vec!["u.data".into(), "../shared/data/ml-100k".into(), "checksum agrees".into()],
                vec!["group_ratings.csv".into(), "—".into(), "not found".into()],
            ],
        }),
    );
    report
}

fn main_section(rows: &[Row]) -> Section {
    let columns =
        [Column::higher("P@10"), Column::higher("R@10"), Column::higher("NDCG@10"), Column::lower("RMSE")];
    let rmse = |row: &&Row| row.metric == "RMSE";
    let bars = rows.iter().filter(rmse).map(|row| Bar {
        label: row.system.clone().unwrap_or_default(),
        value: row.mean.unwrap_or(f64::NAN),
        low: row.low,
        high: row.high,
        published: row.system.as_deref().filter(|name| *name == "SVD").map(|_| 0.934),
        highlight: row.system.as_deref() == Some("DMTL"),
    });
    Section::new("Main table")
        .prose("Systems under the reading of the protocol that can give the published pair. Text with <b>markup</b> & signs is shown as it is.")
        .block(ProtocolBox {
            name: "b".into(),
            split: "random rows, 14 % held out for the test, 10 % of the rest for validation".into(),
            unit: "user".into(),
            candidates: "held-out rated items of the user".into(),
            threshold: "rating ≥ 4".into(),
            k: "10".into(),
            denominator: "min(k, n)".into(),
            without_relevant: "skipped".into(),
            tie_rule: "expected value over random orders of equal scores".into(),
            seeds: "0 to 4; intervals are 95 % bootstrap over users and seeds".into(),
            floor: "candidates shuffled 20 times".into(),
            ceiling: "candidates ordered by the true rating".into(),
            popularity: "number of training ratings".into(),
            more: vec![],
        })
        .block(
            Table::by_system("Demo: invented data, protocol b, mean over 5 seeds", rows, &columns)
                .highlight("DMTL")
                .test_note("DMTL differs in a paired test over users and seeds"),
        )
        .block(BarPlot {
            title: "Rating error by system (invented)".into(),
            value: Axis::new("RMSE").unit("stars"),
            mark: Mark::Dot,
            bars: bars.collect(),
            references: vec![
                Reference::new(ReferenceKind::Floor, "constant guess", 1.1257),
                Reference::new(ReferenceKind::Published, "published SVD++", 0.91),
                Reference::new(ReferenceKind::Published, "target", 0.895),
            ],
        })
        .block(Note::new(
            NoteKind::DepartsFromPaper,
            "The validation part is taken from the training part; the paper does not say where its own came from.",
        ))
}

fn sweep_section() -> Section {
    let series = |name: &str, top: f64| Series {
        name: name.into(),
        points: [0.1, 0.5, 1.0, 10.0]
            .map(|x: f64| {
                let y = top - 0.02 * (x.log10() + 0.3).powi(2);
                Point { x, y, low: Some(y - 0.006), high: Some(y + 0.006) }
            })
            .to_vec(),
    };
    Section::new("λ sweep")
        .prose("How much the weight of the profiling loss matters.")
        .block(LinePlot {
            title: "NDCG@10 over λ (invented)".into(),
            x: Axis::new("λ").log(),
            y: Axis::new("NDCG@10"),
            series: vec![series("DMTL", 0.77), series("DMTL without attention", 0.745)],
            references: vec![
                Reference::new(ReferenceKind::Floor, "random floor", 0.69),
                Reference::new(ReferenceKind::Published, "paper", 0.76),
            ],
        })
        .block(BarPlot {
            title: "Seconds per epoch (invented)".into(),
            value: Axis::new("time").unit("s"),
            mark: Mark::Bar,
            bars: ["item", "members", "uniform", "none"]
                .iter()
                .enumerate()
                .map(|(at, name)| Bar {
                    label: (*name).into(),
                    value: 2.4 - 0.5 * at as f64,
                    low: Some(2.2 - 0.5 * at as f64),
                    high: Some(2.7 - 0.5 * at as f64),
                    highlight: at == 0,
                    published: None,
                })
                .collect(),
            references: vec![],
        })
}

fn attention_section() -> Section {
    let curve = |name: &str, rate: f64| {
        Series::new(
            name,
            (1..=40).map(|epoch| (f64::from(epoch), 4.16 * (-rate * f64::from(epoch)).exp() + 1.0)),
        )
    };
    Section::new("Attention and cohorts")
        .block(LinePlot {
            title: "Entropy of the attention (invented)".into(),
            x: Axis::new("epoch"),
            y: Axis::new("entropy").unit("nats"),
            series: vec![curve("item", 0.06), curve("members", 0.03), curve("uniform", 0.0)],
            references: vec![],
        })
        .block(Block::Heading("Gain by cohort".into()))
        .block(HeatMap {
            title: "NDCG@10 against the single-task model (invented)".into(),
            row_axis: Axis::new("cohort"),
            column_axis: Axis::new("system"),
            rows: ["fewer than 5", "5 to 19", "20 to 99", "100 and more"].map(String::from).to_vec(),
            columns: ["DMTL", "uniform", "none", "profiling only", "popularity"].map(String::from).to_vec(),
            values: (0..4)
                .map(|row| {
                    (0..5)
                        .map(|column| {
                            (row + column != 7)
                                .then_some(0.04 - 0.011 * f64::from(row) - 0.012 * f64::from(column))
                        })
                        .collect()
                })
                .collect(),
            legend: Axis::new("difference of NDCG@10"),
            center: Some(0.0),
            digits: 3,
        })
        .block(Note::new(NoteKind::Warning, "The smallest cohort has 12 users; its interval is wide."))
}

/// Invented: three clouds of points on spirals, and a month in the life of four cohorts.
fn discovery_section() -> Section {
    let cloud = |name: &str, x: f64, y: f64| {
        Cloud::new(
            name,
            (0..160).map(move |i| {
                let (radius, angle) = (0.11 * f64::from(i).sqrt(), 2.4 * f64::from(i));
                (x + radius * angle.cos(), y + 0.7 * radius * angle.sin())
            }),
        )
    };
    let streams = [
        ("1 jazz", "1 jazz", 310.0),
        ("1 jazz", "5 swing (new)", 190.0),
        ("2 metal", "2 metal", 420.0),
        ("2 metal", "1 jazz", 25.0),
        ("3 folk", "3 folk", 260.0),
        ("4 disco", "2 metal", 90.0),
        ("4 disco", "left", 40.0),
        ("joined", "5 swing (new)", 80.0),
    ];
    Section::new("Discovered cohorts")
        .block(ScatterPlot {
            title: "Users by their first two components (invented)".into(),
            x: Axis::new("first component, 31 % of the variance"),
            y: Axis::new("second component, 17 %"),
            groups: vec![cloud("jazz", -1.6, 0.4), cloud("metal", 1.5, 0.9), cloud("folk", 0.2, -1.3)],
        })
        .block(FlowPlot {
            title: "Users between two fits (invented)".into(),
            left: "March".into(),
            right: "April".into(),
            amount: Axis::new("users"),
            streams: streams.map(|(from, to, users)| Stream::new(from, to, users)).to_vec(),
        })
}
