//! One behaviour beside the target: its graph over all nodes, and its rows to learn from.

use std::ops::Range;
use std::sync::Arc;

use kohort_core::sparse::{Csr, Symmetric};
use kohort_random::{Stream, rand::Rng};

use super::super::system::Triple;
use super::{Behaviour, Edges};
use crate::ModelError;

/// A behaviour's edges as a graph over users and items, and as lists.
pub(super) struct Relation {
    /// `Ã = D^{−½} A D^{−½}`, `[users + items, users + items]`; a node without an edge has an empty row.
    pub(super) graph: Arc<Symmetric<f32>>,
    /// Nodes that a user can be joined to: all items, or all users.
    pool: Range<u32>,
}

impl Relation {
    pub(super) fn new(behaviour: &Behaviour, (users, items): (usize, usize)) -> Result<Self, ModelError> {
        let wrong = |edge: usize, what: &'static str, id: u32, allowed: String| ModelError::Edge {
            behaviour: behaviour.name.clone(),
            edge,
            what,
            id,
            allowed,
        };
        let below = |list: &[u32], what: &'static str, count: usize| match list
            .iter()
            .position(|&id| id as usize >= count)
        {
            Some(edge) => Err(wrong(edge, what, list[edge], format!("an id below {count}"))),
            None => Ok(()),
        };
        match &behaviour.edges {
            Edges::Items { user, item } => {
                if user.len() == item.len() {
                    below(user, "user", users)?;
                    below(item, "item", items)?;
                }
                // Lists of different lengths are refused here.
                let graph = Symmetric::bipartite((users, items), user, item)?;
                Ok(Self { graph: Arc::new(graph), pool: users as u32..(users + items) as u32 })
            }
            Edges::Users { ties } => {
                let (a, b): (Vec<u32>, Vec<u32>) = ties.iter().copied().unzip();
                below(&a, "user", users)?;
                below(&b, "user", users)?;
                if let Some(edge) = ties.iter().position(|(a, b)| a == b) {
                    return Err(wrong(
                        edge,
                        "user",
                        a[edge],
                        "another user than the edge's first".to_owned(),
                    ));
                }
                Ok(Self { graph: Arc::new(tied(users + items, ties)?), pool: 0..users as u32 })
            }
        }
    }

    /// Whether the behaviour has an edge at a node.
    pub(super) fn reaches(&self, node: u32) -> bool {
        self.graph.matrix().row(node as usize).next().is_some()
    }

    /// Whether a user has a row to learn from: an edge, and a node left that could be drawn as a negative.
    pub(super) fn teaches(&self, user: u32) -> bool {
        self.reaches(user) && self.free(user) > 0
    }

    /// One of the user's edges with a node that the user is not joined to, each equally likely.
    pub(super) fn draw(&self, user: u32, numbers: &mut Stream) -> Option<Triple> {
        let free = self.free(user);
        let own = self.graph.matrix().row(user as usize);
        let count = own.count();
        if count == 0 || free == 0 {
            return None;
        }
        let taken = numbers.random_range(0..count);
        let (taken, _) = self.graph.matrix().row(user as usize).nth(taken)?;
        let mut other = self.pool.start + numbers.random_range(0..free);
        for barred in self.barred(user) {
            if barred > other {
                break;
            }
            other += 1;
        }
        Some((user, taken, other))
    }

    fn free(&self, user: u32) -> u32 {
        self.pool.len() as u32 - self.barred(user).count() as u32
    }

    /// Nodes of the pool that are no negatives of a user: those joined to, and the user, ascending.
    fn barred(&self, user: u32) -> impl Iterator<Item = u32> {
        let joined = move || self.graph.matrix().row(user as usize).map(|entry| entry.0);
        let own = self.pool.contains(&user).then_some(user);
        let below = joined().take_while(move |&node| node < user);
        below.chain(own).chain(joined().skip_while(move |&node| node < user))
    }
}

/// `Ã` of ties between nodes: a pair that is told twice, or in both directions, is one tie.
fn tied(nodes: usize, ties: &[(u32, u32)]) -> Result<Symmetric<f32>, ModelError> {
    let mut both: Vec<(u32, u32)> = ties.iter().flat_map(|&(a, b)| [(a, b), (b, a)]).collect();
    both.sort_unstable();
    both.dedup();
    let mut degree = vec![0.0f64; nodes];
    both.iter().for_each(|&(a, _)| degree[a as usize] += 1.0);
    let weight = |a: u32, b: u32| (1.0 / (degree[a as usize] * degree[b as usize]).sqrt()) as f32;
    let entries: Vec<(u32, u32, f32)> = both.iter().map(|&(a, b)| (a, b, weight(a, b))).collect();
    Ok(Symmetric::new(Csr::from_entries(nodes, nodes, &entries)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kohort_random::stream;

    fn drawn(relation: &Relation, user: u32) -> (Vec<u32>, Vec<u32>) {
        let mut numbers = stream(1, "relation", &[]);
        let all: Vec<Triple> = (0..200).filter_map(|_| relation.draw(user, &mut numbers)).collect();
        assert!(all.iter().all(|triple| triple.0 == user));
        let seen = |of: fn(&Triple) -> u32| {
            let mut seen: Vec<u32> = all.iter().map(of).collect();
            seen.sort_unstable();
            seen.dedup();
            seen
        };
        (seen(|triple| triple.1), seen(|triple| triple.2))
    }

    #[test]
    fn rows_are_edges_and_negatives_all_that_is_not_joined() {
        let edges = Edges::Items { user: vec![0, 0, 1, 0], item: vec![2, 0, 1, 2] };
        let items = Relation::new(&Behaviour { name: "tags".into(), edges }, (3, 4)).unwrap();
        assert_eq!(drawn(&items, 0), (vec![3, 5], vec![4, 6]));
        assert_eq!(drawn(&items, 2), (vec![], vec![]));
        assert!(items.reaches(4) && !items.reaches(6) && items.teaches(1) && !items.teaches(2));

        let edges = Edges::Users { ties: vec![(0, 2), (2, 0), (2, 3)] };
        let ties = Relation::new(&Behaviour { name: "friends".into(), edges }, (5, 1)).unwrap();
        assert_eq!(drawn(&ties, 2), (vec![0, 3], vec![1, 4]));
        assert_eq!(drawn(&ties, 0), (vec![2], vec![1, 3, 4]));
        let weights: Vec<(u32, f32)> = ties.graph.matrix().row(2).collect();
        assert_eq!(weights, [(0, 0.5f32.sqrt()), (3, 0.5f32.sqrt())]);
    }

    #[test]
    fn who_is_joined_to_everything_has_no_row() {
        let edges = Edges::Users { ties: vec![(0, 1)] };
        let ties = Relation::new(&Behaviour { name: "friends".into(), edges }, (2, 1)).unwrap();
        assert!(ties.reaches(0) && !ties.teaches(0));
        assert_eq!(drawn(&ties, 0), (vec![], vec![]));
    }

    #[test]
    fn edges_that_lead_nowhere_are_named() {
        let refused = |edges: Edges| {
            let behaviour = Behaviour { name: "x".into(), edges };
            Relation::new(&behaviour, (3, 2)).err().map(|error| error.to_string()).unwrap()
        };
        let item = refused(Edges::Items { user: vec![0, 2], item: vec![0, 2] });
        assert_eq!(item, "behaviour \"x\", edge 1: item 2, allowed is an id below 2");
        let user = refused(Edges::Users { ties: vec![(0, 1), (1, 3)] });
        assert_eq!(user, "behaviour \"x\", edge 1: user 3, allowed is an id below 3");
        let own = refused(Edges::Users { ties: vec![(1, 1)] });
        assert_eq!(own, "behaviour \"x\", edge 0: user 1, allowed is another user than the edge's first");
        assert!(refused(Edges::Items { user: vec![0], item: vec![] }).contains("1 users and 0 items"));
    }
}
