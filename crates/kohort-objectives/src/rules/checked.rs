//! Rules with every name looked up, and their application.

use super::{Condition, Factor, Kind, Known, RuleError, Value, WeightRule};
use crate::Schedule;

/// Rules that have been checked.
#[derive(Clone, Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    tasks: usize,
    /// Names that a column of names has, `None` for numbers.
    columns: Vec<(String, Option<usize>)>,
    cohorts: usize,
}

/// A batch's rows.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// How many there are.
    pub count: usize,
    /// The cohort of each, `[count]`; may be empty where no cohorts are known.
    pub cohorts: &'a [u32],
    /// Every known column, `[count]` each.
    pub columns: &'a [Column<'a>],
}

/// A column of a batch.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a> {
    /// Numbers, NaN where one is missing.
    Numbers(&'a [f32]),
    /// Codes of names.
    Codes(&'a [u32]),
}

impl Column<'_> {
    fn len(&self) -> usize {
        match self {
            Column::Numbers(numbers) => numbers.len(),
            Column::Codes(codes) => codes.len(),
        }
    }

    fn number(&self, row: usize) -> f64 {
        match self {
            Column::Numbers(numbers) => f64::from(numbers[row]),
            Column::Codes(_) => f64::NAN,
        }
    }
}

#[derive(Clone, Debug)]
struct Rule {
    name: String,
    task: Option<usize>,
    cohort: Option<u32>,
    /// By ascending column, each column at most once.
    when: Vec<(usize, Test)>,
    factor: Source,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    /// Sorted.
    Codes(Vec<u32>),
    /// Sorted. As f32, which columns hold: 0.1 is meant to match 0.1.
    Numbers(Vec<f32>),
    Range {
        at_least: f64,
        below: f64,
    },
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    Number(f64),
    Column(usize),
    Schedule(Schedule),
}

impl Rules {
    /// Looks up every name and compares every pair of rules.
    ///
    /// # Errors
    /// If a rule speaks of something unknown, tests a column in a way that does not fit it or that no row can meet, has a factor that is negative
    /// or not finite, or contradicts another: the same scope twice, or a scope inside one whose factor is 0.
    pub fn new(rules: &[WeightRule], known: &Known) -> Result<Rules, RuleError> {
        let mut checked: Vec<Rule> = Vec::new();
        for rule in rules {
            let rule = Rule::new(rule, known)?;
            for earlier in &checked {
                earlier.agree(&rule)?;
            }
            checked.push(rule);
        }
        let columns = known.columns.iter().map(|(name, kind)| match kind {
            Kind::Numbers => (name.clone(), None),
            Kind::Names(names) => (name.clone(), Some(names.len())),
        });
        let columns = columns.collect();
        Ok(Rules { rules: checked, tasks: known.tasks.len(), columns, cohorts: known.cohorts.len() })
    }

    /// Weights of a batch's rows at a step for each task, `[tasks][rows]`; `None` for a task of which no rule speaks.
    ///
    /// # Errors
    /// If columns or cohorts are not those that were known, or a column's number makes a weight negative or not finite.
    pub fn weights(&self, rows: Rows<'_>, step: u64) -> Result<Vec<Option<Vec<f32>>>, RuleError> {
        self.fits(rows)?;
        let mut weights: Vec<Option<Vec<f32>>> = vec![None; self.tasks];
        for rule in &self.rules {
            let matched: Vec<usize> = (0..rows.count).filter(|&row| rule.meets(rows, row)).collect();
            let tasks = rule.task.map_or(0..self.tasks, |task| task..task + 1);
            for weight in &mut weights[tasks] {
                let weight = weight.get_or_insert_with(|| vec![1.0; rows.count]);
                for &row in &matched {
                    let factor = match &rule.factor {
                        Source::Number(value) => *value,
                        Source::Schedule(schedule) => schedule.at(step),
                        Source::Column(at) => rows.columns[*at].number(row),
                    };
                    let value = f64::from(weight[row]) * factor;
                    // A weight of 0 would hide a negative number.
                    if factor.is_nan() || factor < 0.0 || !(value as f32).is_finite() {
                        let value = if value == 0.0 { factor } else { value };
                        return Err(RuleError::Weight { rule: rule.name.clone(), row, value });
                    }
                    weight[row] = value as f32;
                }
            }
        }
        Ok(weights)
    }

    fn fits(&self, rows: Rows<'_>) -> Result<(), RuleError> {
        let refuse = |what: String| Err(RuleError::Rows { what });
        if rows.columns.len() != self.columns.len() {
            return refuse(format!("{} columns, expected {}", rows.columns.len(), self.columns.len()));
        }
        for (column, (name, names)) in rows.columns.iter().zip(&self.columns) {
            if column.len() != rows.count {
                return refuse(format!("{} values of `{name}`, expected {}", column.len(), rows.count));
            }
            match (column, names) {
                (Column::Numbers(_), None) => {}
                (Column::Codes(codes), Some(names)) => {
                    if let Some(row) = codes.iter().position(|&code| code as usize >= *names) {
                        return refuse(format!(
                            "row {row} of `{name}` has code {}, expected one below {names}",
                            codes[row]
                        ));
                    }
                }
                (Column::Numbers(_), Some(_)) => {
                    return refuse(format!("`{name}` holds numbers, expected codes"));
                }
                (Column::Codes(_), None) => {
                    return refuse(format!("`{name}` holds codes, expected numbers"));
                }
            }
        }
        if self.cohorts == 0 && rows.cohorts.is_empty() {
            return Ok(());
        }
        if rows.cohorts.len() != rows.count {
            return refuse(format!("{} cohorts, expected {}", rows.cohorts.len(), rows.count));
        }
        match rows.cohorts.iter().position(|&cohort| cohort as usize >= self.cohorts) {
            Some(row) => refuse(format!(
                "row {row} is of cohort {}, expected one below {}",
                rows.cohorts[row], self.cohorts
            )),
            None => Ok(()),
        }
    }
}

impl Rule {
    fn new<'a>(rule: &WeightRule, known: &'a Known) -> Result<Rule, RuleError> {
        let unknown = |what: &str, name: &str, known: Vec<&str>| RuleError::Unknown {
            rule: rule.name.clone(),
            what: what.to_owned(),
            name: name.to_owned(),
            known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
        };
        let find = |what: &str, name: &str, among: Vec<&str>| match among.iter().position(|a| *a == name) {
            Some(at) => Ok(at),
            None => Err(unknown(what, name, among)),
        };
        let all = |names: &'a [String]| -> Vec<&'a str> { names.iter().map(String::as_str).collect() };
        let task = rule.task.as_ref().map(|name| find("task", name, all(&known.tasks))).transpose()?;
        let cohort =
            rule.cohort.as_ref().map(|name| find("cohort", name, all(&known.cohorts))).transpose()?;
        let column = |name: &str| {
            let names = known.columns.iter().map(|(name, _)| name.as_str()).collect();
            find("column", name, names).map(|at| (at, &known.columns[at].1))
        };
        let refuse = |column: &str, what: &str| RuleError::Condition {
            rule: rule.name.clone(),
            column: column.to_owned(),
            what: what.to_owned(),
        };
        let mut when: Vec<(usize, Test)> = Vec::new();
        for condition in &rule.when {
            let (at, kind) = column(&condition.column)?;
            if when.iter().any(|(other, _)| *other == at) {
                return Err(refuse(
                    &condition.column,
                    "two conditions, expected one with all values or the whole range",
                ));
            }
            let test = Test::new(condition, kind).map_err(|problem| match problem {
                Problem::Says(what) => refuse(&condition.column, what),
                Problem::Unknown(value, names) => {
                    unknown(&format!("value in column `{}`:", condition.column), &value, all(names))
                }
            })?;
            when.push((at, test));
        }
        when.sort_by_key(|(at, _)| *at);
        let factor = match &rule.factor {
            Factor::Number(value) if value.is_finite() && *value >= 0.0 => Source::Number(*value),
            Factor::Number(value) => {
                return Err(RuleError::Factor { rule: rule.name.clone(), value: *value });
            }
            Factor::Column { column: name } => match column(name)? {
                (at, Kind::Numbers) => Source::Column(at),
                (_, Kind::Names(_)) => {
                    return Err(refuse(name, "a factor needs numbers, and it holds names"));
                }
            },
            Factor::Schedule { schedule } => {
                let named = |source| RuleError::Schedule { rule: rule.name.clone(), source };
                schedule.check().map_err(named)?;
                Source::Schedule(*schedule)
            }
        };
        Ok(Rule { name: rule.name.clone(), task, cohort: cohort.map(|at| at as u32), when, factor })
    }

    fn agree(&self, other: &Rule) -> Result<(), RuleError> {
        let contradict = |what: &str| {
            let (first, second) = (self.name.clone(), other.name.clone());
            Err(RuleError::Contradiction { first, second, what: what.to_owned() })
        };
        if self.name == other.name {
            return contradict("they have one name");
        }
        if (self.task, self.cohort, &self.when) == (other.task, other.cohort, &other.when) {
            return contradict("they have the same task, cohort and conditions; keep one");
        }
        for (outer, inner) in [(self, other), (other, self)] {
            if outer.factor == Source::Number(0.0) && outer.covers(inner) {
                let what = format!("all rows of `{}` have weight 0 by `{}`", inner.name, outer.name);
                return contradict(&what);
            }
        }
        Ok(())
    }

    /// Whether every row and task of `inner` is one of this rule's.
    fn covers(&self, inner: &Rule) -> bool {
        let test = |(at, outer): &(usize, Test)| {
            inner.when.iter().any(|(other, inner)| other == at && outer.covers(inner))
        };
        (self.task.is_none() || self.task == inner.task)
            && (self.cohort.is_none() || self.cohort == inner.cohort)
            && self.when.iter().all(test)
    }

    fn meets(&self, rows: Rows<'_>, row: usize) -> bool {
        self.cohort.is_none_or(|cohort| rows.cohorts[row] == cohort)
            && self.when.iter().all(|(at, test)| match (test, rows.columns[*at]) {
                (Test::Codes(codes), Column::Codes(of)) => codes.binary_search(&of[row]).is_ok(),
                (Test::Numbers(numbers), Column::Numbers(of)) => numbers.contains(&of[row]),
                (Test::Range { at_least, below }, Column::Numbers(of)) => {
                    (*at_least..*below).contains(&f64::from(of[row]))
                }
                _ => false,
            })
    }
}

enum Problem<'a> {
    Says(&'static str),
    Unknown(String, &'a [String]),
}

impl Test {
    fn new<'a>(condition: &Condition, kind: &'a Kind) -> Result<Test, Problem<'a>> {
        let ranged = condition.at_least.is_some() || condition.below.is_some();
        match (condition.any_of.is_empty(), ranged) {
            (true, false) => return Err(Problem::Says("neither values nor a range")),
            (false, true) => return Err(Problem::Says("values and a range, expected one of them")),
            _ => {}
        }
        match kind {
            Kind::Names(_) if ranged => Err(Problem::Says("a range needs numbers, and it holds names")),
            Kind::Names(names) => {
                let mut codes = Vec::new();
                for value in &condition.any_of {
                    let name = match value {
                        Value::Name(name) => name.clone(),
                        // Names such as ZIP codes that a config wrote as numbers.
                        Value::Number(number) => number.to_string(),
                    };
                    match names.iter().position(|known| *known == name) {
                        Some(code) => codes.push(code as u32),
                        None => return Err(Problem::Unknown(name, names)),
                    }
                }
                codes.sort_unstable();
                codes.dedup();
                Ok(Test::Codes(codes))
            }
            Kind::Numbers if ranged => {
                let at_least = condition.at_least.unwrap_or(f64::NEG_INFINITY);
                let below = condition.below.unwrap_or(f64::INFINITY);
                if at_least < below {
                    Ok(Test::Range { at_least, below })
                } else {
                    Err(Problem::Says("a range that holds no number"))
                }
            }
            Kind::Numbers => {
                let mut numbers = Vec::new();
                for value in &condition.any_of {
                    match value {
                        Value::Number(number) if number.is_finite() => numbers.push(*number as f32),
                        _ => return Err(Problem::Says("a value that is no number, and it holds numbers")),
                    }
                }
                numbers.sort_by(f32::total_cmp);
                numbers.dedup();
                Ok(Test::Numbers(numbers))
            }
        }
    }

    fn covers(&self, inner: &Test) -> bool {
        match (self, inner) {
            (Test::Codes(outer), Test::Codes(inner)) => inner.iter().all(|code| outer.contains(code)),
            (Test::Numbers(outer), Test::Numbers(inner)) => inner.iter().all(|number| outer.contains(number)),
            (Test::Range { at_least, below }, Test::Numbers(inner)) => {
                inner.iter().all(|&number| (*at_least..*below).contains(&f64::from(number)))
            }
            (Test::Range { at_least, below }, Test::Range { at_least: from, below: to }) => {
                at_least <= from && to <= below
            }
            _ => false,
        }
    }
}
