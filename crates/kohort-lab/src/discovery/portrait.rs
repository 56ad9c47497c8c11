//! What the cohorts of one fit are made of, where they lie, and where an earlier fit's users went.

use anyhow::Result;
use kohort_cohorts::Points;
use kohort_cohorts::living::{ChangeRules, Flow, Living};
use kohort_cohorts::map::Map;
use kohort_cohorts::profile::{Lift, PortraitConfig, Portraits};
use kohort_random::{permutation, stream};

use super::cohorts::{folded, parents};
use super::methods::{Found, Material, Method};
use super::worlds::World;
use crate::outcome::{Curve, Matrix, Outcome};

/// Names of what is kept.
pub(crate) const PROFILE: &str = "log2 of lift";
pub(crate) const FLOW: &str = "users by earlier and later cohort";
pub(crate) const MAP: &str = "map: ";
pub(crate) const SIZE: &str = "size: ";
pub(crate) const EXPLAINED: &str = "explained: ";
pub(crate) const TOLD: &str = "portrait: ";
pub(crate) const CHANGED: &str = "change: ";
/// Who is not there in one of two fits.
pub(crate) const ABSENT: &str = "not there yet";
/// Who is in no cohort.
const NONE: &str = "no cohort";

/// Attributes of each cohort in the heat map, and columns in all: more cannot be read.
const EACH: usize = 2;
const COLUMNS: usize = 16;
/// Users on the map.
const ON_MAP: usize = 1200;
/// Lifts beyond these are drawn as these: a factor of 16.
const MOST: f64 = 4.0;

/// Everything that is shown of a fit.
pub(crate) fn of(
    world: &World,
    method: &Method,
    material: &Material<'_>,
    found: &Found,
    seed: u64,
) -> Result<Outcome> {
    let (scene, settings) = (material.scene, material.settings);
    let vectors = world.vectors(seed, settings)?;
    let vectors = (vectors.values.as_slice(), vectors.width);
    let users = scene.present.len();

    // The earlier fit sees some of the users; the others come later.
    let mut earlier = permutation(users, &mut stream(seed, "discovery earlier", &[]));
    earlier.truncate((settings.earlier * users as f64).round() as usize);
    earlier.sort_unstable();
    let before = method.find(material, &earlier, seed)?;
    let up = parents(&before, &earlier, vectors)?;
    let labels = folded(&before.labels, &up, settings.least(earlier.len()))?;
    let mut first = vec![None; users];
    earlier.iter().zip(labels).for_each(|(&user, label)| first[user as usize] = label);
    let living = Living::first(&first)?;

    let everybody = material.everybody();
    let up = parents(found, &everybody, vectors)?;
    let now = folded(&found.labels, &up, settings.least(users))?;
    let refit = living.next(&now, &Default::default(), 0, ChangeRules::default())?;
    let cohorts = &refit.living.cohorts;

    let config = PortraitConfig { traits: EACH + 3, words: 1, ..PortraitConfig::default() };
    let portraits = config.of(cohorts, &scene.attributes)?;
    let mut outcome = Outcome::default();
    outcome.matrices.push(profile(&portraits, cohorts, material)?);
    for portrait in &portraits.cohorts {
        outcome.counts.push((format!("{SIZE}{}", named(portrait.cohort, &portraits)), portrait.users as f64));
    }
    let told = portraits.to_string();
    outcome.remarks.extend(told.lines().map(|line| format!("{TOLD}{}", line.trim_end())));
    let changed = refit.changes.to_string();
    outcome.remarks.extend(changed.lines().map(|line| format!("{CHANGED}{line}")));
    outcome.matrices.push(flow(&refit.changes.flow, &portraits));

    let map = Map::of(&Points::new(vectors.0, vectors.1)?, seed)?;
    outcome.counts.push((format!("{EXPLAINED}first"), map.explained.0));
    outcome.counts.push((format!("{EXPLAINED}second"), map.explained.1));
    let mut drawn = permutation(users, &mut stream(seed, "discovery map", &[]));
    drawn.truncate(ON_MAP);
    drawn.sort_unstable();
    for portrait in &portraits.cohorts {
        let own = drawn.iter().filter(|&&user| cohorts[user as usize] == Some(portrait.cohort));
        let points = own.map(|&user| map.places[user as usize]).collect();
        outcome.curves.push(Curve { name: format!("{MAP}{}", named(portrait.cohort, &portraits)), points });
    }
    Ok(outcome)
}

/// `3: metal`, as wide as a page has room for.
fn named(cohort: u32, portraits: &Portraits) -> String {
    let portrait = portraits.cohorts.iter().find(|portrait| portrait.cohort == cohort);
    match portrait.map(|portrait| portrait.name.as_str()) {
        Some(name) if name != format!("cohort {cohort}") => format!("{cohort}: {}", short(name)),
        _ => format!("cohort {cohort}"),
    }
}

fn short(name: &str) -> String {
    const MOST: usize = 28;
    if name.chars().count() <= MOST {
        return name.to_owned();
    }
    let kept: String = name.chars().take(MOST - 1).collect();
    format!("{}…", kept.trim_end())
}

/// Cohorts by the foremost attributes of any of them.
fn profile(portraits: &Portraits, cohorts: &[Option<u32>], material: &Material<'_>) -> Result<Matrix> {
    let attributes = &material.scene.attributes;
    let mut columns: Vec<usize> = Vec::new();
    for nth in 0..EACH {
        for found in portraits.cohorts.iter().filter_map(|portrait| portrait.traits.get(nth)) {
            let place = attributes.names().iter().position(|name| *name == found.name);
            columns.extend(place.filter(|place| !columns.contains(place)));
        }
    }
    columns.truncate(COLUMNS);
    let total: usize = portraits.cohorts.iter().map(|portrait| portrait.users).sum();
    let mut values = Vec::new();
    for portrait in &portraits.cohorts {
        let (mut inside, mut outside) = (vec![0usize; columns.len()], vec![0usize; columns.len()]);
        for (user, cohort) in cohorts.iter().enumerate().filter(|(_, cohort)| cohort.is_some()) {
            let own = attributes.of(user);
            let counts = if *cohort == Some(portrait.cohort) { &mut inside } else { &mut outside };
            for (count, &column) in counts.iter_mut().zip(&columns) {
                *count += usize::from(own.binary_search(&(column as u32)).is_ok());
            }
        }
        let lift = |(&a, &b): (&usize, &usize)| {
            let lift = Lift::new((a, portrait.users), (b, total - portrait.users), portraits.z).lift;
            Some(lift.log2().clamp(-MOST, MOST))
        };
        values.push(inside.iter().zip(&outside).map(lift).collect());
    }
    Ok(Matrix {
        name: PROFILE.to_owned(),
        rows: portraits.cohorts.iter().map(|portrait| named(portrait.cohort, portraits)).collect(),
        columns: columns.into_iter().map(|column| short(&attributes.names()[column])).collect(),
        values,
    })
}

fn flow(flow: &Flow, portraits: &Portraits) -> Matrix {
    let side =
        |cohorts: Vec<u32>| -> Vec<Option<u32>> { cohorts.into_iter().map(Some).chain([None]).collect() };
    let (from, to) = (side(flow.cohorts_before()), side(flow.cohorts_after()));
    let values = from
        .iter()
        .map(|&before| to.iter().map(|&after| Some(flow.users(before, after) as f64)).collect())
        .collect();
    let name = |cohort: &Option<u32>, none: &str| match cohort {
        Some(cohort) => named(*cohort, portraits),
        None => none.to_owned(),
    };
    Matrix {
        name: FLOW.to_owned(),
        rows: from.iter().map(|cohort| name(cohort, ABSENT)).collect(),
        columns: to.iter().map(|cohort| name(cohort, NONE)).collect(),
        values,
    }
}
