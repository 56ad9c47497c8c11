//! `manifest.json`: everything needed to run the same again, and to see what ran.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::paper::Scope;
use crate::study::Skipped;

/// What is known of the machine and the build.
#[derive(Clone, Debug)]
pub(crate) struct Build {
    pub(crate) version: &'static str,
    pub(crate) rustc: &'static str,
    /// Checksum of the program.
    pub(crate) program: String,
    /// Kernels that multiply matrices, and a warning about them.
    pub(crate) kernels: String,
    pub(crate) warning: Option<String>,
    /// Seconds the build took, if the caller said so.
    pub(crate) build_seconds: Option<f64>,
    pub(crate) threads: usize,
}

impl Build {
    pub(crate) fn detect(program: String, threads: usize) -> Build {
        Build {
            version: env!("CARGO_PKG_VERSION"),
            rustc: env!("KOHORT_RUSTC"),
            program,
            kernels: kohort_core::kernels::backend(),
            warning: kohort_core::kernels::warning(),
            build_seconds: std::env::var("KOHORT_BUILD_SECONDS").ok().and_then(|s| s.parse().ok()),
            threads,
        }
    }
}

/// How a run went.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    pub(crate) started: String,
    pub(crate) took: Duration,
    pub(crate) cells: usize,
    pub(crate) resumed: usize,
    /// Names of failed cells with the reasons.
    pub(crate) failed: Vec<(String, String)>,
    /// Seconds of all cells added up, those of earlier runs included.
    pub(crate) cell_seconds: f64,
}

/// The text of `manifest.json`.
pub(crate) fn text(
    build: &Build,
    course: &Course,
    scope: &Scope,
    experiments: &[&str],
    data: &[Value],
    skipped: &[Skipped],
) -> Result<String> {
    let all = json!({
        "version": build.version,
        "rustc": build.rustc,
        "program_sha256": build.program,
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "kernels": build.kernels,
        "kernel_warning": build.warning,
        "kernels_asked_for": std::env::var("KOHORT_BLAS").ok(),
        "threads": build.threads,
        "build_seconds": build.build_seconds,
        "started": course.started,
        "wall_seconds": course.took.as_secs_f64(),
        "cell_seconds": course.cell_seconds,
        "cells": course.cells,
        "cells_from_earlier_runs": course.resumed,
        "failed_cells": course.failed.iter().map(|(cell, why)| json!({"cell": cell, "why": why})).collect::<Vec<_>>(),
        "experiments": experiments,
        "quick": scope.quick,
        "seeds": scope.seeds,
        "data": data,
        "skipped": skipped,
    });
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}
