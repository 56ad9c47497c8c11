//! What every rendering must keep: user text is text, numbers are finite, nothing is lost.

use kohort_report::{
    Axis, Bar, BarPlot, Block, Cloud, Column, FlowPlot, Grid, HeatMap, Highlight, LinePlot, Note, NoteKind,
    Point, ProtocolBox, Reference, ReferenceKind, Report, Row, ScatterPlot, Section, Series, Stream, Table,
    Verdict, render_html, render_markdown, render_terminal_summary, results_json,
};

const HOSTILE: &str = "<script>alert('x')</script> \"q\" & | * ` \n # </style> </svg>";

/// A report in which every text is `text` and every number is `value`.
fn report_of(text: &str, value: f64) -> (Report, Vec<Row>) {
    let row = |metric: &str| {
        let mut row =
            Row::new(text, text, metric).protocol(text).system(text).variant(text).cohort(text).task(text);
        // Past the setters, which already refuse what is not finite.
        for field in
            [&mut row.mean, &mut row.low, &mut row.high, &mut row.floor, &mut row.ceiling, &mut row.published]
        {
            *field = Some(value);
        }
        row.p_value = Some(value);
        row.verdict(Verdict::NotComparable, text)
    };
    let rows = vec![row("A"), row(text)];
    let references = || vec![Reference::new(ReferenceKind::Floor, text, value)];
    let points = || vec![Point { x: value, y: value, low: Some(value), high: Some(value) }; 3];
    let mut report = Report::new(text, text, text);
    report.lead = text.into();
    report.highlights.push(Highlight {
        label: text.into(),
        value: text.into(),
        detail: text.into(),
        verdict: None,
    });
    report.fact(text, text);
    let section = Section::new(text)
        .prose(text)
        .block(Block::Heading(text.into()))
        .block(Block::Prose(text.into()))
        .block(ProtocolBox { name: text.into(), split: text.into(), ..ProtocolBox::default() })
        .block(Table::by_system(text, &rows, &[Column::lower("A"), Column::higher(text)]).test_note(text))
        .block(Grid { caption: text.into(), header: vec![text.into(); 2], lines: vec![vec![text.into()]] })
        .block(LinePlot {
            title: text.into(),
            x: Axis::new(text).unit(text),
            y: Axis::new(text).log(),
            series: vec![Series { name: text.into(), points: points() }; 2],
            references: references(),
        })
        .block(BarPlot {
            title: text.into(),
            value: Axis::new(text),
            bars: vec![Bar {
                label: text.into(),
                value,
                low: Some(value),
                high: Some(value),
                published: Some(value),
                highlight: true,
            }],
            references: references(),
            ..BarPlot::default()
        })
        .block(HeatMap {
            title: text.into(),
            rows: vec![text.into(); 2],
            columns: vec![text.into(); 2],
            values: vec![vec![Some(value)], vec![]],
            center: Some(value),
            ..HeatMap::default()
        })
        .block(ScatterPlot {
            title: text.into(),
            x: Axis::new(text),
            y: Axis::new(text).log(),
            groups: vec![Cloud::new(text, [(value, value), (0.5, value)]); 10],
        })
        .block(FlowPlot {
            title: text.into(),
            left: text.into(),
            right: text.into(),
            amount: Axis::new(text),
            streams: vec![Stream::new(text, text, value), Stream::new(text, "other", 1.0)],
        })
        .block(Note::new(NoteKind::Warning, text));
    report.sections.push(section);
    (report, rows)
}

#[test]
fn html_shows_user_text_as_text() {
    let page = render_html(&report_of(HOSTILE, 0.5).0);
    assert!(!page.contains("<script"), "markup of a user's text reached the page");
    assert_eq!(page.matches("</style>").count(), 1);
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert!(page.contains("&lt;script&gt;"));
}

#[test]
fn the_page_fetches_nothing() {
    let page = render_html(&report_of("text", 0.5).0);
    for fetch in ["src=", "@import", "url(", "<link", "<script", "href=\"http"] {
        assert!(!page.contains(fetch), "{fetch}");
    }
}

#[test]
fn markdown_shows_user_text_as_text_and_keeps_its_tables_whole() {
    let text = render_markdown(&report_of(HOSTILE, 0.5).0);
    assert!(!text.contains("<script"));
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    for pair in text.lines().collect::<Vec<_>>().windows(2) {
        if pair[0].starts_with('|') && pair[1].starts_with('|') {
            assert_eq!(columns(pair[0]), columns(pair[1]), "{}\n{}", pair[0], pair[1]);
        }
    }
}

#[test]
fn what_is_not_finite_is_never_printed() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -f64::MAX] {
        let (report, rows) = report_of("x", value);
        let page = render_html(&report);
        let body = &page[page.find("<body>").unwrap()..];
        for text in [body, &render_markdown(&report), &render_terminal_summary(&rows), &results_json(&rows)] {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric());
            let infinite = words.filter(|word| ["NaN", "inf", "nan", "Infinity"].contains(word)).count();
            assert_eq!(infinite, 0, "{value} was printed");
        }
        assert!(!attributes(body).contains("n/a"), "a coordinate was not a number for {value}");
    }
}

/// The insides of all tags.
fn attributes(page: &str) -> String {
    page.split('<').skip(1).map(|part| part.split('>').next().unwrap_or_default()).collect()
}

#[test]
fn an_empty_report_still_renders() {
    let report = Report::new("empty", "now", "none");
    assert!(render_html(&report).contains("<h1>empty</h1>"));
    assert_eq!(render_markdown(&report), "# empty\n\nStarted now. Kernels: none.\n");
    let hollow = Section::new("hollow")
        .block(Table::by_system("t", &[], &[]))
        .block(LinePlot::default())
        .block(BarPlot::default())
        .block(HeatMap::default())
        .block(ScatterPlot::default())
        .block(FlowPlot::default())
        .block(Grid::default());
    let report = Report { sections: vec![hollow], ..report };
    assert!(render_html(&report).contains("hollow"));
    assert!(render_markdown(&report).contains("## hollow"));
}

#[test]
fn markdown_of_a_small_report_reads_like_this() {
    let row = |system: &str, metric: &str, mean: f64| {
        Row::new("main", "d", metric).system(system).mean(mean).interval(mean - 0.002, mean + 0.002)
    };
    let rows = [
        row("SVD++", "RMSE", 0.919).between(1.5, 0.0).p_value(0.001),
        row("DMTL", "RMSE", 0.894).between(1.5, 0.0).verdict(Verdict::NotComparable, "no published RMSE"),
        row("DMTL", "P@10", 0.681).published(0.6867).verdict(Verdict::Reproduced, "within 0.01"),
    ];
    let mut report = Report::new("Small", "2026-01-01 12:00 UTC", "pure Rust");
    report.lead = "One table.".into();
    report.fact("Threads", "2");
    report.sections.push(
        Section::new("Main table")
            .prose("Lower RMSE is better.")
            .block(
                Table::by_system(
                    "Protocol a",
                    &rows,
                    &[Column::lower("RMSE"), Column::higher("P@10").digits(3)],
                )
                .highlight("DMTL")
                .test_note("paired test against DMTL"),
            )
            .block(Note::new(NoteKind::Skipped, "ITM-Rec: not found")),
    );
    let expected = "\
# Small

One table.

Started 2026-01-01 12:00 UTC. Kernels: pure Rust.

## Main table

Lower RMSE is better.

**Protocol a**

| System | RMSE ↓ | P@10 ↑ | Verdict |
| --- | ---: | ---: | --- |
| SVD++ | 0.9190 ± 0.0020† | — |  |
| **DMTL** | **0.8940 ± 0.0020** | **0.681 ± 0.002**<br>paper 0.687 | reproduced: P@10 (within 0.01)<br>not comparable: RMSE (no published RMSE) |
| *Random floor* | *1.5000* | — |  |
| *Oracle ceiling* | *0.0000* | — |  |

† paired test against DMTL (p < 0.05)

> **Skipped.** ITM-Rec: not found

## About this run

| What | Value |
| --- | --- |
| Threads | 2 |
";
    assert_eq!(render_markdown(&report), expected);
}

#[test]
fn a_number_that_cannot_exist_is_undefined_and_not_missing() {
    let mut undefined = Row::new("markets", "d", "PR-AUC").system("MTL");
    undefined.reason = Some("undefined: no positives in the test part".into());
    let rows = [undefined, Row::new("markets", "d", "PR-AUC").system("Popularity").mean(0.2)];
    let mut report = Report::new("t", "now", "kernels");
    let table = Table::by_system("t", &rows, &[Column::higher("PR-AUC"), Column::higher("nDCG")]);
    report.sections.push(Section::new("s").block(table));
    let page = render_html(&report);
    assert!(page.contains("title=\"undefined: no positives in the test part\">undefined<"), "{page}");
    assert!(render_markdown(&report).contains("| MTL | undefined | — |"));
}

fn page_of(block: impl Into<Block>) -> String {
    let mut report = Report::new("t", "now", "kernels");
    report.sections.push(Section::new("s").block(block));
    render_html(&report)
}

#[test]
fn a_cloud_of_very_many_points_is_thinned_evenly_and_says_so() {
    let cloud =
        |name: &str, count: u32| Cloud::new(name, (0..count).map(|i| (f64::from(i), f64::from(i % 7))));
    let plot = |groups| ScatterPlot { title: "t".into(), x: Axis::new("x"), y: Axis::new("y"), groups };
    let page = page_of(plot(vec![cloud("large", 9000), cloud("small", 900)]));
    let drawn = page.matches("class=\"cloud\"").count();
    assert!((1900..=2000).contains(&drawn), "{drawn}");
    assert!(page.contains("every 5th point is drawn"));
    assert!(page.contains("<td>large</td><td>9000</td><td>4499.5</td>"));
    let page = page_of(plot(vec![cloud("a", 30)]));
    assert_eq!(page.matches("class=\"cloud\"").count(), 30);
    assert!(!page.contains("point is drawn"));
}

#[test]
fn bands_of_a_flow_are_as_wide_as_what_goes_along_them() {
    let streams =
        vec![Stream::new("3", "3", 60.0), Stream::new("3", "7", 40.0), Stream::new("4", "4", f64::NAN)];
    let plot = FlowPlot {
        title: "t".into(),
        left: "before".into(),
        right: "after".into(),
        amount: Axis::new("users"),
        streams,
    };
    let page = page_of(plot);
    let heights: Vec<f64> = page
        .split("class=\"block\"")
        .skip(1)
        .map(|rest| rest.split("height=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap())
        .collect();
    // One block on the left, two on the right; the amount that is no number is not drawn.
    assert_eq!(heights.len(), 3);
    assert!((heights[1] / heights[0] - 0.6).abs() < 1e-3 && (heights[2] / heights[0] - 0.4).abs() < 1e-3);
    assert_eq!(page.matches("class=\"stream\"").count(), 2);
    assert!(page.contains("<td>4</td><td>4</td><td>n/a</td>"));
}
