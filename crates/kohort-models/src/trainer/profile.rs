//! Where the wall time of a run went: what the trainer does one after the other, and what of it the model's ops took.
//!
//! The phases follow each other without a gap, so they add up to the wall time but for what lies between the last of them and the end.
//! Shards run on several threads at once, so the times of their ops are threads' times; divided by the number of threads they are shares of
//! the wall time, and together with what threads did between ops and how long they had nothing to do they add up to the phases of the
//! shards. An op that spreads over threads by itself counts once, and its helpers count as threads without a shard; a thread that waits
//! for its helpers may take on another shard meanwhile, which then counts twice.

use std::fmt;
use std::time::{Duration, Instant};

use kohort_core::Params;
use kohort_core::profile::{Line, Profile as Ops};
use kohort_core::shards::Shards;
use serde::{Deserialize, Serialize};

use super::Epoch;

/// One thing that the trainer does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// What, in words.
    pub name: String,
    /// Wall time.
    pub wall: Duration,
    /// Time that threads were busy with shards, added up over threads; zero for phases that don't run shards.
    pub busy: Duration,
}

/// Where the wall time of an epoch or of several went; its `Display` is a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// All of it.
    pub wall: Duration,
    /// Threads that shards may run on.
    pub threads: usize,
    /// Epochs that are part of it.
    pub epochs: u64,
    /// Steps that are part of it.
    pub steps: u64,
    /// What the trainer did, in the order of a step and then of an epoch.
    pub phases: Vec<Phase>,
    /// What the ops of the shards took, added up over threads.
    pub ops: Ops,
}

impl Profile {
    /// The profiles of these epochs added up; nothing where none was taken. Epochs that a checkpoint brought have none.
    pub fn whole(epochs: &[Epoch]) -> Option<Profile> {
        epochs.iter().filter_map(|epoch| epoch.profile.as_ref()).fold(None, |sum: Option<Profile>, next| {
            let mut sum = sum.unwrap_or_default();
            sum.add(next);
            Some(sum)
        })
    }

    /// Adds another profile of the same run.
    pub fn add(&mut self, other: &Profile) {
        self.wall += other.wall;
        self.threads = self.threads.max(other.threads);
        self.epochs += other.epochs;
        self.steps += other.steps;
        other.phases.iter().for_each(|theirs| self.spend(&theirs.name, theirs.wall, theirs.busy));
        self.ops.add(&other.ops);
    }

    /// Wall time of no phase.
    pub fn elsewhere(&self) -> Duration {
        self.wall.saturating_sub(self.phases.iter().map(|phase| phase.wall).sum())
    }

    /// Threads' time with shards that is no op's: rows are gathered, adjoints cleared.
    pub fn between_ops(&self) -> Duration {
        let busy: Duration = self.phases.iter().map(|phase| phase.busy).sum();
        busy.saturating_sub(self.ops.total())
    }

    /// Threads' time in the phases of shards in which they had none.
    pub fn idle(&self) -> Duration {
        let shards = self.phases.iter().filter(|phase| phase.busy > Duration::ZERO);
        shards.map(|phase| (phase.wall * self.threads as u32).saturating_sub(phase.busy)).sum()
    }

    fn spend(&mut self, name: &str, wall: Duration, busy: Duration) {
        if wall.is_zero() {
            return;
        }
        match self.phases.iter_mut().find(|phase| phase.name == name) {
            Some(phase) => {
                phase.wall += wall;
                phase.busy += busy;
            }
            None => self.phases.push(Phase { name: name.to_owned(), wall, busy }),
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Width of a layer's name in the table, which then fits a terminal of 120 columns.
const LAYER: usize = 44;

/// A name that fits: its end says which layer it is, so that stays.
fn fitting(layer: &str) -> String {
    let skip = layer.chars().count().saturating_sub(LAYER);
    match skip {
        0 => layer.to_owned(),
        _ => std::iter::once('…').chain(layer.chars().skip(skip + 1)).collect(),
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wall = self.wall.as_secs_f64().max(f64::MIN_POSITIVE);
        let share = |time: Duration| 100.0 * time.as_secs_f64() / wall;
        let Profile { epochs, steps, threads, .. } = self;
        writeln!(f, "where {wall:.3} s went: {epochs} epochs, {steps} steps, {threads} threads\n")?;
        writeln!(f, "{:>6}  {:>11}  what the trainer did", "share", "wall ms")?;
        for Phase { name, wall, .. } in &self.phases {
            writeln!(f, "{:>5.1}%  {:>11.2}  {name}", share(*wall), ms(*wall))?;
        }
        writeln!(f, "{:>5.1}%  {:>11.2}  elsewhere", share(self.elsewhere()), ms(self.elsewhere()))?;
        if self.ops.lines().is_empty() {
            return Ok(());
        }
        writeln!(f, "\nthe shards among it, by op: ms of all threads, shares of the wall time\n")?;
        let of_thread = |time: Duration| share(time) / self.threads.max(1) as f64;
        writeln!(
            f,
            "{:>6}  {:>11}  {:>11}  {:>7}  {:>9}  {:<18}  layer",
            "share", "forward ms", "backward ms", "GFLOP/s", "calls", "op"
        )?;
        let mut small = Duration::ZERO;
        for line in self.ops.lines() {
            let time = line.forward + line.backward;
            // A model with an expert for each of a hundred cohorts has hundreds of lines of next to nothing.
            if of_thread(time) < 0.05 {
                small += time;
                continue;
            }
            write_line(f, of_thread(time), line)?;
        }
        for (time, what) in [
            (small, "ops below 0.05% each"),
            (self.between_ops(), "between ops: gathering rows, clearing adjoints"),
            (self.idle(), "threads without a shard"),
        ] {
            writeln!(f, "{:>5.1}%  {:>24.2}  {what}", of_thread(time), ms(time))?;
        }
        Ok(())
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, share: f64, line: &Line) -> fmt::Result {
    let seconds = (line.forward + line.backward).as_secs_f64();
    let flops = line.forward_flops + line.backward_flops;
    let rate =
        if flops > 0.0 && seconds > 0.0 { format!("{:.1}", flops / seconds / 1e9) } else { "–".into() };
    let (forward, backward, layer) = (ms(line.forward), ms(line.backward), fitting(&line.layer));
    let (calls, op) = (line.calls, &line.op);
    writeln!(f, "{share:>5.1}%  {forward:>11.2}  {backward:>11.2}  {rate:>7}  {calls:>9}  {op:<18}  {layer}")
}

/// Summing and weighing the gradients of shards.
pub(super) const SUMS: &str = "sums of gradients over shards";

/// The trainer's watch; does nothing where no profile was asked for.
pub(super) struct Clock(Option<Running>);

struct Running {
    begun: Instant,
    last: Instant,
    profile: Profile,
}

impl Clock {
    /// Starts the watch, and those of the shards.
    pub(super) fn new(on: bool, shards: &mut Shards) -> Clock {
        shards.profile(on);
        let now = Instant::now();
        Clock(on.then(|| Running { begun: now, last: now, profile: Profile::default() }))
    }

    /// What was done since the last lap was this.
    pub(super) fn lap(&mut self, name: &str) {
        if let Some(running) = &mut self.0 {
            let now = Instant::now();
            running.profile.spend(name, now - running.last, Duration::ZERO);
            running.last = now;
        }
    }

    /// The same, where shards ran: they are a phase of their own, the sums of their gradients are another, and the rest is `rest`.
    pub(super) fn lap_shards(&mut self, name: &str, rest: &str, shards: &mut Shards) {
        if let Some(running) = &mut self.0 {
            let (now, spent) = (Instant::now(), shards.take_spent());
            let others = (now - running.last).saturating_sub(spent.shards + spent.sums);
            running.profile.spend(name, spent.shards, spent.busy);
            running.profile.spend(SUMS, spent.sums, Duration::ZERO);
            running.profile.spend(rest, others, Duration::ZERO);
            running.last = now;
        }
    }

    /// A step is over.
    pub(super) fn step(&mut self) {
        if let Some(running) = &mut self.0 {
            running.profile.steps += 1;
        }
    }

    /// What was measured since the last time; `epochs` is how many ended in it.
    pub(super) fn take(&mut self, shards: &mut Shards, params: &Params, epochs: u64) -> Option<Profile> {
        let running = self.0.as_mut()?;
        let mut profile = std::mem::take(&mut running.profile);
        let ops = shards.take_profile(params);
        let now = Instant::now();
        (profile.ops, profile.epochs, profile.wall) = (ops, epochs, now - running.begun);
        profile.threads = rayon::current_num_threads();
        (running.begun, running.last) = (now, now);
        Some(profile)
    }
}
