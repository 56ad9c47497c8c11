//! Whether the parts of an input fit each other, and what tells one input from another.

use super::{Input, UserInput};
use crate::ModelError;
use crate::fingerprint::Fingerprint;

/// Refuses what does not fit, naming it.
pub(super) fn input(input: &Input<'_>) -> Result<(), ModelError> {
    let train = input.train.rows();
    let known = input.known.unwrap_or(input.train).rows();
    let (users, items) = (train.users, train.items);
    let mut sizes = vec![
        ("users of the known rows", known.users, users),
        ("items of the known rows", known.items, items),
        ("rows of the title vectors", input.titles.rows(), items),
        ("users with a territory", input.territories.of_user().len(), users),
    ];
    sizes.push(match input.users {
        UserInput::Given(vectors) => ("rows of the user vectors", vectors.rows(), users),
        UserInput::Folded(factors) => ("rows of the item factors", factors.rows(), items),
    });
    sizes.extend(input.weights.map(|weights| ("row weights", weights.len(), train.len())));
    sizes.extend(input.groups.map(|groups| ("users with a group", groups.of_user.len(), users)));
    for (what, found, expected) in sizes {
        if found != expected {
            return Err(ModelError::Size { what, found, expected });
        }
    }
    if let Some(groups) = input.groups
        && let Some(user) = groups.of_user.iter().position(|&group| group as usize >= groups.count)
    {
        return Err(ModelError::UnknownGroup { user, group: groups.of_user[user], count: groups.count });
    }
    if let Some(weights) = input.weights
        && let Some(index) = weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0)
    {
        let value = f64::from(weights[index]);
        return Err(kohort_objectives::ObjectiveError::Weight { what: "row weight", index, value }.into());
    }
    if let Some(held) = input.validation {
        for (what, found, limit) in [
            ("user of the validation candidates", held.user.iter().max(), users),
            ("item of the validation candidates", held.item.iter().max(), items),
        ] {
            if let Some(&found) = found.filter(|&&found| found as usize >= limit) {
                return Err(ModelError::Config(format!("{what}: {found}, allowed is below {limit}")));
            }
        }
        if !held.positive.contains(&true) {
            return Err(ModelError::NoPositives { rows: held.positive.len() });
        }
    }
    Ok(())
}

/// Refuses a group without a training row: its block would stay where it starts.
pub(super) fn no_empty_group(input: &Input<'_>) -> Result<(), ModelError> {
    let Some(groups) = input.groups else { return Ok(()) };
    let mut rows = vec![0usize; groups.count];
    for &user in &input.train.rows().user {
        rows[groups.of_user[user as usize] as usize] += 1;
    }
    match rows.iter().position(|&rows| rows == 0) {
        Some(group) => Err(ModelError::EmptyGroup { group, count: groups.count }),
        None => Ok(()),
    }
}

/// A hash of everything that is learned from or stopped by.
pub(super) fn fingerprint(input: &Input<'_>) -> u64 {
    let mut hash = Fingerprint::new();
    for rows in [Some(input.train), input.known].into_iter().flatten() {
        let rows = rows.rows();
        hash.eat_ids(&rows.user);
        hash.eat_ids(&rows.item);
        rows.rating.iter().for_each(|rating| hash.eat(rating.to_bits().into()));
    }
    let (users, kind) = match input.users {
        UserInput::Given(vectors) => (vectors, 0),
        UserInput::Folded(factors) => (factors, 1),
    };
    hash.eat(kind);
    for vectors in [users, input.titles] {
        hash.eat(vectors.width() as u64);
        vectors.values().iter().for_each(|value| hash.eat(value.to_bits().into()));
    }
    hash.eat_ids(input.territories.of_user());
    if let Some(groups) = input.groups {
        hash.eat(groups.count as u64);
        hash.eat_ids(groups.of_user);
    }
    input.weights.iter().copied().flatten().for_each(|weight| hash.eat(weight.to_bits().into()));
    if let Some(held) = input.validation {
        hash.eat_ids(&held.user);
        hash.eat_ids(&held.item);
        held.positive.iter().for_each(|&positive| hash.eat(positive.into()));
    }
    hash.value()
}
