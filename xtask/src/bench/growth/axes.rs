//! Along which quantities cost is measured, all else being equal, and how it may grow.

use super::curve::Wanted;

/// One quantity.
pub(super) struct Axis {
    pub(super) name: &'static str,
    /// For the page's heading and the plot's axis.
    pub(super) title: &'static str,
    pub(super) x: &'static str,
    /// What stays, for people.
    pub(super) of: &'static str,
    pub(super) package: &'static str,
    pub(super) example: &'static str,
    /// The example's word for the quantity; without one it is the number of threads.
    pub(super) key: Option<&'static str>,
    pub(super) values: &'static [usize],
    pub(super) lines: &'static [Line],
    /// What is counted, all of it in the same runs.
    pub(super) costs: &'static [Cost],
    /// Steps of which the median counts, or searches.
    pub(super) steps: u32,
}

/// What is counted.
#[derive(Clone, Copy)]
pub(super) enum Cost {
    Step,
    Search,
    /// The most memory of a process, its data included.
    Memory,
}

impl Cost {
    /// The example's word for it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Cost::Step | Cost::Search => "ms",
            Cost::Memory => "peak_mb",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Cost::Step => "time of a step",
            Cost::Search => "time of a search",
            Cost::Memory => "most memory",
        }
    }

    /// What the plot over an axis is called.
    pub(super) fn heading(self, axis: &str) -> String {
        match self {
            Cost::Step | Cost::Search => axis.to_owned(),
            Cost::Memory => format!("{axis}: memory"),
        }
    }

    pub(super) fn unit(self) -> &'static str {
        match self {
            Cost::Step | Cost::Search => "ms",
            Cost::Memory => "MB",
        }
    }
}

/// A curve.
pub(super) struct Line {
    pub(super) name: &'static str,
    /// Words for the example beside the quantity.
    pub(super) words: &'static [&'static str],
    pub(super) wanted: Wanted,
}

const fn line(name: &'static str, words: &'static [&'static str], wanted: Wanted) -> Line {
    Line { name, words, wanted }
}

const MMOE: Axis = Axis {
    name: "batch",
    title: "Rows of a batch",
    x: "rows",
    of: "MMoE training step: 8 tables of 10,000 × 16, 8 experts 256-128, 2 towers 64-1, Adam",
    package: "kohort-models",
    example: "mmoe_growth",
    key: Some("rows"),
    values: &[64, 128, 256, 512, 1024, 2048, 4096, 8192],
    lines: &[line("step", &[], Wanted::Linear)],
    costs: &[Cost::Step],
    steps: 24,
};

const LORA: Axis = Axis {
    name: "cohorts",
    title: "Cohorts in a batch",
    x: "cohorts present",
    of: "training step of adapters for 512 cohorts, rank 8 on a frozen 256-256-128, 4,096 rows of which each cohort has as many",
    package: "kohort-layers",
    example: "lora_growth",
    key: Some("present"),
    values: &[1, 4, 16, 64, 128, 256, 512],
    lines: &[line("step", &["cohorts=512"], Wanted::Linear)],
    costs: &[Cost::Step],
    steps: 24,
};

const TABLE: Axis = Axis {
    name: "rows-touched",
    title: "Rows of a table that a step touches",
    x: "rows touched",
    of: "training step of a table of 2,097,152 × 16, touched rows only, and one linear unit",
    package: "kohort-core",
    example: "table_growth",
    key: Some("touched"),
    values: &[4096, 16_384, 65_536, 262_144, 524_288],
    lines: &[line("step", &["ids=2097152"], Wanted::Linear)],
    costs: &[Cost::Step],
    steps: 24,
};

const LEIDEN: Axis = Axis {
    name: "edges",
    title: "Edges of a graph",
    x: "nodes, each with ten edges",
    of: "Leiden, 2 iterations, planted communities of 100 nodes, seven of ten edges within",
    package: "kohort-cohorts",
    example: "cohorts_growth",
    key: Some("nodes"),
    values: &[62_500, 125_000, 250_000, 500_000, 1_000_000],
    lines: &[line("Leiden", &["method=leiden"], Wanted::Linear)],
    costs: &[Cost::Search, Cost::Memory],
    steps: 1,
};

const KMEANS: Axis = Axis {
    name: "points",
    title: "Points to cluster",
    x: "rows",
    of: "KMeans, rows of 16, 64 clusters, 10 iterations",
    key: Some("rows"),
    values: &[62_500, 125_000, 250_000, 500_000, 1_000_000],
    lines: &[line("KMeans", &["method=kmeans"], Wanted::Linear)],
    ..LEIDEN
};

pub(super) const AXES: [Axis; 11] = [
    MMOE,
    Axis {
        name: "threads",
        title: "Threads",
        x: "threads",
        of: "MMoE training step: 4,096 rows, 8 tables of 10,000 × 16, 8 experts 256-128, 2 towers 64-1, Adam",
        key: None,
        // Those that the flag allows.
        values: &[1, 2, 4, 8, 16, 32],
        lines: &[line("step", &["rows=4096"], Wanted::Shown)],
        ..MMOE
    },
    LORA,
    Axis {
        name: "cohorts-absent",
        title: "Cohorts that are absent from a batch",
        x: "cohorts that have an adapter",
        of: "training step of adapters, rank 8 on a frozen 256-256-128, 4,096 rows of 16 cohorts",
        key: Some("cohorts"),
        values: &[16, 64, 256, 1024, 4096],
        lines: &[line("step", &["present=16"], Wanted::Flat)],
        ..LORA
    },
    Axis {
        name: "tasks",
        title: "Tasks",
        x: "tasks",
        of: "MMoE training step: 1,024 rows, 8 tables of 10,000 × 16, 8 experts 256-128, a gate and a tower 64-1 a task, Adam",
        key: Some("tasks"),
        values: &[1, 2, 4, 8, 16, 32],
        ..MMOE
    },
    Axis {
        name: "experts",
        title: "Experts",
        x: "experts",
        of: "MMoE training step: 1,024 rows, 8 tables of 10,000 × 16, experts 256-128, 2 towers 64-1, Adam",
        key: Some("experts"),
        values: &[1, 2, 4, 8, 16, 32],
        ..MMOE
    },
    Axis {
        name: "vocabulary",
        title: "Vocabulary",
        x: "ids of each of 8 features",
        of: "MMoE training step: 1,024 rows, ids by a power law, 8 experts 256-128, 2 towers 64-1, Adam",
        key: Some("ids"),
        values: &[1000, 10_000, 100_000, 1_000_000],
        // A larger vocabulary has rarer ids, so a batch touches more rows of it.
        lines: &[
            line("all rows stepped", &[], Wanted::Shown),
            line("touched rows stepped", &["touched=1"], Wanted::Shown),
        ],
        ..MMOE
    },
    TABLE,
    Axis {
        name: "rows-untouched",
        title: "Rows of a table that a step does not touch",
        x: "rows of the table",
        of: "training step of a table × 16 of whose first 65,536 rows 16,384 are touched, and one linear unit",
        key: Some("ids"),
        values: &[65_536, 262_144, 1_048_576, 4_194_304],
        lines: &[line("step", &["touched=16384", "among=65536"], Wanted::Flat)],
        ..TABLE
    },
    LEIDEN,
    KMEANS,
];
