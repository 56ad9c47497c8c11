//! Changes as sentences.

use std::fmt;

use super::{Change, Changes};

/// A share as whole per cent.
fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn users(count: usize) -> String {
    if count == 1 { "1 user".to_owned() } else { format!("{count} users") }
}

/// "a", "a and b", "a, b and c".
fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept { cohort, before, after, stayed } => {
                write!(f, "cohort {cohort} lives on: {before} → {}", users(*after))?;
                stayed.map_or(Ok(()), |share| write!(f, ", {} of the earlier ones stayed", percent(share)))
            }
            Self::Split { cohort, parts, .. } => {
                let stays = parts.iter().filter(|part| part.0 == *cohort);
                let goes = parts.iter().filter(|part| part.0 != *cohort);
                let stays = stays.map(|part| format!("{} stayed", percent(part.1)));
                let goes = goes.map(|&(id, share, fresh)| {
                    format!("{} went to {}cohort {id}", percent(share), if fresh { "the new " } else { "" })
                });
                write!(f, "cohort {cohort} split: {}", stays.chain(goes).collect::<Vec<_>>().join(", "))
            }
            Self::Merged { into, after, from } => {
                let ids: Vec<String> = from.iter().map(|part| part.0.to_string()).collect();
                let shares: Vec<String> =
                    from.iter().map(|&(id, share)| format!("{} of {id}", percent(share))).collect();
                write!(
                    f,
                    "cohorts {} merged into cohort {into}: {} are in it, {} now",
                    list(&ids),
                    list(&shares),
                    users(*after)
                )
            }
            Self::Born { cohort, after, newcomers, mostly_from } => {
                write!(f, "cohort {cohort} was born: {}, {newcomers} of them newcomers", users(*after))?;
                match mostly_from {
                    Some((from, count)) => write!(f, ", {count} from cohort {from}"),
                    None => Ok(()),
                }
            }
            Self::Died { cohort, before, left, mostly_to } => {
                write!(f, "cohort {cohort} died: of its {}, {left} left", users(*before))?;
                match mostly_to {
                    Some((to, count)) => write!(f, ", {count} went to cohort {to}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))?;
        let (stayers, movers) = (self.flow.stayers(), self.flow.movers());
        writeln!(f, "{movers} of the {} known both times are in another cohort now", users(stayers))?;
        match &self.drift {
            Some(drift) => writeln!(f, "shares of the cohorts: {drift}"),
            None => writeln!(f, "shares of the cohorts: no users to compare"),
        }
    }
}
