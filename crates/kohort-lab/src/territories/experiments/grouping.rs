//! What of the method does it: number and making of groups, the share of parameters that a group has of its own, how many
//! active users are added and who counts as active.

use std::collections::BTreeMap;

use kohort_data::upsample::{Active, Quota, Upsampling, Window};
use kohort_models::towers::Blocks;

use super::cells;
use super::markets::{AFTER, BEFORE};
use crate::grid::Cell;
use crate::paper::Scope;
use crate::territories::measure::What;
use crate::territories::settings::{GroupBy, Settings};
use crate::territories::systems::{Sample, System, towers};
use crate::territories::world::World;

/// Name on the command line.
pub(crate) const NAME: &str = "grouping";
/// Numbers of groups, beside the main setting's.
pub(crate) const GROUPS: [usize; 3] = [1, 2, 4];
/// Active users for each user of the random sample, beside the main setting's.
pub(crate) const RATIOS: [f64; 3] = [0.0, 0.25, 0.5];
/// Prefixes of the variants with their headings and what the main setting is there, in the order of the page.
pub(crate) const SWEEPS: [(&str, &str, &str); 5] = [
    ("groups: ", "Number and making of groups", "7, each market alone (main setting)"),
    ("own: ", "Share of territory-specific parameters", "a linear block (main setting)"),
    ("ratio: ", "Active users for each random user", "1 (main setting)"),
    ("active: ", "Who is active, and from where", "the top 40 %, equal quotas (main setting)"),
    ("share: ", "A larger random sample", "0.2, MTL, random + active at ratio 1 (main setting)"),
];

/// A rule by language and place: who could have been put together without looking at the data.
pub(crate) fn rule(groups: usize) -> Option<GroupBy> {
    let names: &[(&str, &[&str])] = match groups {
        2 => &[("America and Britain", &["ca", "mx", "uk"]), ("Europe and Asia", &["fr", "de", "jp", "in"])],
        4 => &[
            ("North America", &["ca", "mx"]),
            ("Britain", &["uk"]),
            ("Europe", &["fr", "de"]),
            ("Asia", &["jp", "in"]),
        ],
        _ => return None,
    };
    let map: BTreeMap<String, String> = names
        .iter()
        .flat_map(|(group, members)| members.iter().map(|member| ((*member).to_owned(), (*group).to_owned())))
        .collect();
    Some(GroupBy::Rule(map))
}

/// Seeds of a sweep, at most: it has many lines, and none of them is a claim.
pub(crate) const MOST_SEEDS: usize = 5;

/// All cells.
pub(crate) fn all<'a>(world: &'a World, settings: &'a Settings, scope: &Scope) -> Vec<Cell<'a>> {
    let systems = systems(settings).into_iter().map(|system| (system, What::default())).collect();
    let seeds = &scope.seeds[..scope.seeds.len().min(MOST_SEEDS)];
    cells(NAME, world, settings, systems, seeds)
}

/// Every variant differs from the main setting in what its name says.
fn systems(main: &Settings) -> Vec<System> {
    let variant = |name: String, change: &dyn Fn(&mut Settings)| {
        let mut settings = main.clone();
        change(&mut settings);
        towers(AFTER.0, AFTER.1, &settings).varied(name)
    };
    let mut all = vec![towers(BEFORE.0, BEFORE.1, main), towers(AFTER.0, AFTER.1, main)];
    for groups in GROUPS {
        let ways = match groups {
            1 => vec![GroupBy::Size],
            _ => [GroupBy::Size, GroupBy::Viewing].into_iter().chain(rule(groups)).collect(),
        };
        for by in ways {
            let name = match groups {
                1 => "groups: 1".to_owned(),
                _ => format!("groups: {groups} {}", by.name()),
            };
            all.push(variant(name, &|s| (s.groups, s.group_by) = (groups, by.clone())));
        }
    }
    let block = &main.towers.blocks;
    let own = |own_layers| Blocks { residual: false, hidden: Vec::new(), own_layers, ..block.clone() };
    for (name, blocks) in [
        ("own: a block with 32 hidden units", Blocks { hidden: vec![32], ..block.clone() }),
        ("own: a block with 128 hidden units", Blocks { hidden: vec![128], ..block.clone() }),
        ("own: the last layer", own(1)),
        ("own: the whole user tower", own(main.towers.user.len())),
    ] {
        all.push(variant(name.to_owned(), &|s| s.towers.blocks = blocks.clone()));
    }
    for ratio in RATIOS {
        all.push(variant(format!("ratio: {ratio}"), &|s| s.upsampling.ratio = ratio));
    }
    let window = Window { from: Some(THREE_YEARS), until: None };
    let active: [(&str, Upsampling); 5] = [
        ("the top 30 %", Upsampling { active: Active::TopShare { share: 0.3 }, ..main.upsampling }),
        ("8 rows or more", Upsampling { active: Active::AtLeast { rows: 8 }, ..main.upsampling }),
        ("by the last three years", Upsampling { window, ..main.upsampling }),
        ("no quota", Upsampling { quota: Quota::None, ..main.upsampling }),
        ("square-root quotas", Upsampling { quota: Quota::SquareRoot, ..main.upsampling }),
    ];
    for (name, upsampling) in active {
        all.push(variant(format!("active: {name}"), &|s| s.upsampling = upsampling));
    }
    // More than half as many active users are not left beside a larger random sample.
    let larger =
        Settings { upsampling: Upsampling { random: 0.3, ratio: 0.5, ..main.upsampling }, ..main.clone() };
    for (model, sample) in [BEFORE, AFTER] {
        let name = match sample {
            Sample::Random => "share: 0.3, one global model, random",
            _ => "share: 0.3, MTL, random + active at ratio 0.5",
        };
        all.push(towers(model, sample, &larger).varied(name));
    }
    all
}

/// 18 November 2017: three years before the last row of XMarket.
const THREE_YEARS: i64 = 1_510_963_200;
