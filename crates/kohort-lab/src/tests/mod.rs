//! End to end on tiny synthetic data, and what happens when something is wrong.

mod grid;

use std::path::Path;

use kohort_data::fetch::Places;
use kohort_report::parse_results;

use crate::cli::{Reproduce, reproduce};
use crate::failure::Failure;
use crate::grid::Progress;
use crate::study::Looking;

fn nowhere(folder: &Path) -> Looking {
    Looking {
        places: Places {
            data_dir: folder.join("data"),
            mirrors: Vec::new(),
            network: false,
            python: "python3".into(),
        },
    }
}

fn flags(out: &Path, threads: u32) -> Reproduce {
    Reproduce {
        quick: true,
        seeds: Some(2),
        threads: Some(threads),
        out: out.to_path_buf(),
        only: vec!["main".into()],
        ..Reproduce::default()
    }
}

fn run(out: &Path, threads: u32) -> anyhow::Result<(String, String)> {
    let mut said = String::new();
    let looking = nowhere(out);
    let summary = reproduce(&flags(out, threads), &looking, &Progress::silent(), &mut |line| {
        said.push_str(line);
        said.push('\n');
    })?;
    Ok((summary, said))
}

fn read(out: &Path, name: &str) -> String {
    std::fs::read_to_string(out.join(name)).unwrap()
}

/// One run feeds several claims, because it is the slow part.
#[test]
fn without_data_a_run_ends_well_names_what_is_missing_and_resumes_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let (summary, said) = run(out, 2).unwrap();

    assert!(said.contains("skipped: data set ml-100k"), "{said}");
    assert!(summary.contains("DMTL") && summary.contains("report.html"), "{summary}");
    let html = read(out, "report.html");
    for part in ["ml-100k", "itm-rec", "Synthetic ratings", "KOHORT_MIRROR", "protocol (a)", "Random floor"] {
        assert!(html.contains(part), "the page does not say {part}");
    }
    assert!(read(out, "report.md").contains("DMTL"));

    let results = read(out, "results.json");
    let rows = parse_results(&results).unwrap();
    let rmse = rows.iter().find(|row| {
        row.metric == "RMSE" && row.system.as_deref() == Some("SVD") && row.protocol.as_deref() == Some("a")
    });
    let rmse = rmse.unwrap();
    assert!(rmse.mean.unwrap() > 0.3 && rmse.low.unwrap() < rmse.mean.unwrap());
    assert!(rmse.p_value.is_some(), "DMTL is tested against every baseline");
    let precision = rows.iter().find(|row| row.metric == "P@10").unwrap();
    assert!(precision.floor.unwrap() < precision.ceiling.unwrap());
    assert!(rows.iter().all(|row| row.verdict.is_none()), "nothing was published about synthetic ratings");

    let manifest: serde_json::Value = serde_json::from_str(&read(out, "manifest.json")).unwrap();
    assert_eq!(manifest["cells_from_earlier_runs"], 0);
    assert_eq!(manifest["seeds"], serde_json::json!([0, 1]));
    assert_eq!(manifest["skipped"].as_array().unwrap().len(), 2);
    assert!(
        manifest["data"][0]["systems"]
            .as_array()
            .unwrap()
            .iter()
            .any(|system| system["config"]["embedding"].is_u64())
    );

    let cells = manifest["cells"].as_u64().unwrap();
    assert_eq!(std::fs::read_dir(out.join("cells")).unwrap().count() as u64, cells);
    run(out, 1).unwrap();
    let again: serde_json::Value = serde_json::from_str(&read(out, "manifest.json")).unwrap();
    assert_eq!(again["cells_from_earlier_runs"], cells, "nothing is run twice");
    assert_eq!(read(out, "results.json"), results);

    // A cell that was cut short is made again, to the same bits, on another number of threads.
    let cell = std::fs::read_dir(out.join("cells")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&cell, &std::fs::read(&cell).unwrap()[..40]).unwrap();
    run(out, 1).unwrap();
    let third: serde_json::Value = serde_json::from_str(&read(out, "manifest.json")).unwrap();
    assert_eq!(third["cells_from_earlier_runs"], cells - 1);
    assert_eq!(read(out, "results.json"), results);
}

#[test]
fn an_unknown_experiment_is_refused_with_the_names_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let flags = Reproduce { only: vec!["dmlt".into()], ..flags(folder.path(), 1) };
    let error = reproduce(&flags, &nowhere(folder.path()), &Progress::silent(), &mut |_| {}).unwrap_err();
    assert_eq!(error.downcast_ref::<Failure>().map(Failure::code), Some(2));
    let text = error.to_string();
    assert!(text.contains("\"dmlt\"") && text.contains("dmtl, main, lambda"), "{text}");
}

#[test]
fn an_altered_file_stops_the_run_with_its_path_and_checksum_and_leaves_earlier_results() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("mirror/ml-100k");
    std::fs::create_dir_all(&data).unwrap();
    for name in ["u.data", "u.item", "u.user", "u.genre"] {
        std::fs::write(data.join(name), "1\t1\t5\t0\n").unwrap();
    }
    let out = folder.path().join("out");
    std::fs::create_dir_all(&out).unwrap();
    std::fs::write(out.join("report.html"), "earlier").unwrap();
    let mut looking = nowhere(folder.path());
    looking.places.mirrors = vec![folder.path().join("mirror")];
    let error = reproduce(&flags(&out, 1), &looking, &Progress::silent(), &mut |_| {}).unwrap_err();
    assert_eq!(error.downcast_ref::<Failure>().map(Failure::code), Some(3));
    let text = error.to_string();
    assert!(text.contains("u.data") && text.contains("sha256"), "{text}");
    assert_eq!(read(&out, "report.html"), "earlier");
}
