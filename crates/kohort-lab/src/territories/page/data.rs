//! What the territories are: sizes, local titles, groups, samples.

use kohort_data::territories::{Reach, ReachRule};
use kohort_report::{Block, Grid, Note, NoteKind, Section};

use super::Run;
use crate::territories::experiments::markets;
use crate::territories::systems::{Sample, drawn};
use crate::territories::world::World;

/// The section about XMarket.
pub(super) fn section(run: &Run<'_>, world: &World) -> Section {
    with_tables(about(world), run, world)
}

/// The section about MovieLens' regions.
pub(super) fn regions(run: &Run<'_>, world: &World) -> Section {
    let section = about(world).block(Note::new(
        NoteKind::Warning,
        "ZIP regions of MovieLens-100K are a weak cohort: all users saw one catalogue in one language on one American site. Little is \
         to be gained from knowing them, and this experiment is here to show what the method does where there is little to find.",
    ));
    with_tables(section, run, world)
}

fn about(world: &World) -> Section {
    let mut text = format!(
        "{}: {} titles, {} users in {} territories; source: {}.",
        world.title,
        world.items.len(),
        world.train().rows().users,
        world.territories.len(),
        world.provenance.source
    );
    if !world.notes.is_empty() {
        text.push_str(&format!(" Notes: {}.", world.notes.join("; ")));
    }
    Section::new(format!("{}: the territories", world.title)).prose(text)
}

fn with_tables(mut section: Section, run: &Run<'_>, world: &World) -> Section {
    if let Some(grid) = sizes(world) {
        section = section.block(grid);
    }
    match grouping(run, world) {
        Some(grid) => section.block(grid),
        None => section,
    }
    .block(rates(run, world))
}

fn sizes(world: &World) -> Option<Grid> {
    let reach = Reach::of(world.train(), &world.territories, ReachRule::default()).ok()?;
    let (local, global) = (reach.local_counts(), reach.global());
    let rows = world.train().rows();
    let of_rows = world.territories.of_rows(rows).ok()?;
    let test = world.territories.of_rows(world.parts.test.answers()).ok()?;
    let lines = (0..world.territories.len()).map(|at| {
        let is_here = |territory: &u32| *territory as usize == at;
        let own: Vec<u32> =
            rows.item.iter().zip(&of_rows).filter(|(_, t)| is_here(t)).map(|(&item, _)| item).collect();
        let titles = reach.local_to(at as u32);
        let share = |of: &[bool]| {
            let hits = own.iter().filter(|&&item| of[item as usize]).count();
            format!("{:.1} %", 100.0 * hits as f64 / own.len().max(1) as f64)
        };
        let sold = world.catalogues[at].iter().filter(|&&item| global[item as usize]).count();
        vec![
            world.territories.names()[at].clone(),
            world.territories.of_user().iter().filter(|t| is_here(t)).count().to_string(),
            own.len().to_string(),
            test.iter().filter(|t| is_here(t)).count().to_string(),
            world.catalogues[at].len().to_string(),
            local[at].to_string(),
            share(&titles),
            sold.to_string(),
            share(&global),
        ]
    });
    Some(Grid {
        caption: "Territories; local and global titles are told apart by training rows alone".into(),
        header: [
            "Territory",
            "Users",
            "Training rows",
            "Test rows",
            "Titles",
            "Local titles",
            "Rows on them",
            "Global titles sold here",
            "Rows on them",
        ]
        .map(str::to_owned)
        .to_vec(),
        lines: lines.collect(),
    })
}

/// Who is with whom, and why.
fn grouping(run: &Run<'_>, world: &World) -> Option<Grid> {
    let settings = &run.paper.settings;
    let found = world.grouping(settings.groups, &settings.group_by).ok()?;
    let all = world.train().rows().len().max(1) as f64;
    let line = |group: usize| {
        vec![
            found.names()[group].clone(),
            found.members(group).join(", "),
            found.users(group).to_string(),
            found.rows(group).to_string(),
            format!("{:.1} %", 100.0 * found.rows(group) as f64 / all),
            found.why(group).to_owned(),
        ]
    };
    Some(Grid {
        caption: format!("The groups that have a block each: {}", found.how),
        header: ["Group", "Territories", "Users", "Training rows", "Share", "Why"]
            .map(str::to_owned)
            .to_vec(),
        lines: (0..found.len()).map(line).collect(),
    })
}

/// Who was drawn where.
fn rates(run: &Run<'_>, world: &World) -> Block {
    let Some(&seed) = run.scope.seeds.first() else { return Block::Prose(String::new()) };
    let upsampling = &run.paper.settings.upsampling;
    let from = world.parts.held_out_from();
    let sample = drawn(markets::AFTER.1, upsampling, world.train(), &world.territories, from, seed);
    let Ok(Some(sample)) = sample else {
        let why = sample.err().map_or_else(String::new, |error| format!(": {error:#}"));
        return Note::new(NoteKind::Warning, format!("The samples of users cannot be drawn{why}.")).into();
    };
    debug_assert!(markets::AFTER.1 == Sample::RandomAndActive);
    let percent =
        |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |s| format!("{:.1} %", 100.0 * s));
    Grid {
        caption: format!(
            "Realised samples of seed {seed}: random {} % of the users, then active ones at ratio {} (never one who is in the random \
             sample already)",
            100.0 * upsampling.random,
            upsampling.ratio
        ),
        header: ["Territory", "Users", "Active", "Random sample", "Added active", "Users drawn", "Rows drawn"]
            .map(str::to_owned)
            .to_vec(),
        lines: sample
            .rates
            .territories
            .iter()
            .map(|rate| {
                vec![
                    rate.territory.clone(),
                    rate.users.to_string(),
                    rate.active_users.to_string(),
                    rate.random.to_string(),
                    rate.added.to_string(),
                    percent(rate.user_rate()),
                    percent(rate.row_rate()),
                ]
            })
            .collect(),
    }
    .into()
}
