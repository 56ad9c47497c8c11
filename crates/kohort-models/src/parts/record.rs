//! Parts on a tape.

use kohort_core::{ListLoss, LossKind, Real, Tape, Var};

use super::{Part, Plan, Weighted};

/// What parts read of a shard's rows.
pub(crate) struct Seen<'a, F: Real> {
    /// Logits, `[n, 1]`.
    pub(crate) logits: Var,
    /// Labels, `[n]`; of rows that are not known anything.
    pub(crate) target: &'a [F],
    /// Weight of each row, 0 where its label is not known, `[n]`.
    pub(crate) weight: &'a [F],
    /// Cohort of each row, `[n]`.
    pub(crate) cohort: &'a [u32],
    /// User of each row, `[n]`: the rows of one are a list.
    pub(crate) user: &'a [u32],
    /// `log₂` of the share of training users who have the row's item, `[n]`.
    pub(crate) log_popularity: &'a [F],
    /// Vector of each row's item, `[n, d]`.
    pub(crate) vectors: Var,
}

/// Rows of one composition, in lists of users.
struct Group {
    /// All of them.
    rows: Vec<u32>,
    /// Those whose label is known, user by user.
    listed: Vec<u32>,
    offsets: Vec<u32>,
}

/// The loss of all compositions, `[1, 1]`. `scale` is one over the batch's known rows, or what else a row's loss is divided by.
pub(crate) fn record<F: Real>(tape: &mut Tape<F>, plan: &Plan, seen: &Seen<'_, F>, scale: F) -> Var {
    let mut total: Option<Var> = None;
    for (at, parts) in plan.compositions.iter().enumerate() {
        let Some(group) = Group::new(plan, seen, at) else { continue };
        for weighted in parts.iter().filter(|weighted| weighted.weight > 0.0) {
            let value = part(tape, seen, &group, weighted, scale);
            total = Some(match total {
                Some(sum) => tape.add(sum, value),
                None => value,
            });
        }
    }
    match total {
        Some(total) => total,
        // All weights are 0.
        None => tape.loss(LossKind::Logistic, seen.logits, seen.target, Some(seen.weight), F::zero()),
    }
}

impl Group {
    fn new<F: Real>(plan: &Plan, seen: &Seen<'_, F>, composition: usize) -> Option<Group> {
        let n = seen.cohort.len() as u32;
        let rows: Vec<u32> =
            (0..n).filter(|&row| plan.of(seen.cohort[row as usize]) == composition).collect();
        if rows.is_empty() {
            return None;
        }
        let known = |&&row: &&u32| seen.weight[row as usize] != F::zero();
        let mut listed: Vec<u32> = rows.iter().filter(known).copied().collect();
        listed.sort_by_key(|&row| (seen.user[row as usize], row));
        let mut offsets = vec![0u32];
        for own in listed.chunk_by(|&a, &b| seen.user[a as usize] == seen.user[b as usize]) {
            offsets.push(offsets[offsets.len() - 1] + own.len() as u32);
        }
        Some(Group { rows, listed, offsets })
    }

    /// Factor of a mean over so many lists that is as heavy as the group's known rows.
    fn per_list<F: Real>(&self, lists: usize, factor: F) -> F {
        factor * F::of(self.listed.len() as f64 / lists.max(1) as f64)
    }
}

fn part<F: Real>(
    tape: &mut Tape<F>,
    seen: &Seen<'_, F>,
    group: &Group,
    &Weighted { part, weight }: &Weighted,
    scale: F,
) -> Var {
    let factor = scale * F::of(weight);
    match part {
        Part::Bce | Part::Focal(_) => {
            let mut own = vec![F::zero(); seen.weight.len()];
            group.rows.iter().for_each(|&row| own[row as usize] = seen.weight[row as usize]);
            match part {
                Part::Focal(focal) => tape.focal(focal, seen.logits, seen.target, Some(&own), factor),
                _ => tape.loss(LossKind::Logistic, seen.logits, seen.target, Some(&own), factor),
            }
        }
        Part::List(kind) => {
            let labels: Vec<F> = group.listed.iter().map(|&row| seen.target[row as usize]).collect();
            let says = |ends: &&[u32]| ListLoss::says(&labels[ends[0] as usize..ends[1] as usize]);
            let factor = group.per_list(group.offsets.windows(2).filter(says).count(), factor);
            tape.list_loss(kind, seen.logits, seen.target, &group.listed, &group.offsets, None, factor)
        }
        Part::Novelty => {
            let (p, offsets) = shares(tape, seen, group);
            let rarity: Vec<F> = group.listed.iter().map(|&row| seen.log_popularity[row as usize]).collect();
            let rarity = tape.input(rarity.len(), 1, &rarity);
            let each = tape.segment_sum(rarity, Some(p), offsets);
            mean(tape, group, each, factor)
        }
        Part::Diversity => {
            let (p, offsets) = shares(tape, seen, group);
            let width = tape.shape(seen.vectors).1;
            let vectors = unit_rows(tape.value(seen.vectors), width, &group.listed);
            let vectors = tape.input(group.listed.len(), width, &vectors);
            let together = tape.segment_sum(vectors, Some(p), offsets);
            let each = tape.row_dot(together, together);
            mean(tape, group, each, factor)
        }
    }
}

/// Softmax of the logits within each list.
fn shares<F: Real>(tape: &mut Tape<F>, seen: &Seen<'_, F>, group: &Group) -> (Var, kohort_core::List) {
    let offsets = tape.list(&group.offsets);
    let logits = tape.take_rows(seen.logits, &group.listed);
    (tape.segment_softmax(logits, offsets), offsets)
}

fn mean<F: Real>(tape: &mut Tape<F>, group: &Group, each: Var, factor: F) -> Var {
    let sum = tape.sum(each);
    let factor = group.per_list(group.offsets.len() - 1, factor);
    tape.scale(sum, factor, F::zero())
}

/// Rows of a matrix, each brought to length 1; a row of zeros stays one.
fn unit_rows<F: Real>(values: &[F], width: usize, rows: &[u32]) -> Vec<F> {
    let mut unit = Vec::with_capacity(rows.len() * width);
    for &row in rows {
        let own = &values[row as usize * width..(row as usize + 1) * width];
        let length = own.iter().map(|&x| x * x).sum::<F>().sqrt();
        let factor = if length > F::zero() { F::one() / length } else { F::zero() };
        unit.extend(own.iter().map(|&x| x * factor));
    }
    unit
}
