//! Progress for people: a bar on a terminal, a plain line per finished cell elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Cell, End};
use crate::clock::human;

/// Shows how far a grid is. The time left is estimated from the expected seconds of what is done and what is not.
pub(crate) struct Progress {
    bar: ProgressBar,
    lines: Lines,
    state: Mutex<State>,
}

#[derive(Clone, Copy, PartialEq)]
enum Lines {
    /// The bar says it all.
    Bar,
    /// One line per finished cell.
    Plain,
    /// Nothing: for tests.
    Silent,
}

#[derive(Default)]
struct State {
    since: Option<Instant>,
    total: usize,
    done: usize,
    cost_done: f64,
    cost_total: f64,
    current: Vec<String>,
}

impl Progress {
    /// A bar if standard error is a terminal, else lines.
    pub(crate) fn for_people() -> Progress {
        Progress::new(if std::io::stderr().is_terminal() { Lines::Bar } else { Lines::Plain })
    }

    /// Says nothing.
    #[cfg(test)]
    pub(crate) fn silent() -> Progress {
        Progress::new(Lines::Silent)
    }

    fn new(lines: Lines) -> Progress {
        let bar = match lines {
            Lines::Bar => ProgressBar::new(0),
            Lines::Plain | Lines::Silent => ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} cells  {msg}") {
            bar.set_style(style);
        }
        Progress { bar, lines, state: Mutex::default() }
    }

    /// The grid begins, with `resumed` cells from earlier runs.
    pub(crate) fn start<'a>(&self, resumed: usize, waiting: impl Iterator<Item = &'a Cell<'a>>) {
        let Ok(mut state) = self.state.lock() else { return };
        *state = State { since: Some(Instant::now()), ..State::default() };
        for cell in waiting {
            state.total += 1;
            state.cost_total += cell.cost;
        }
        self.bar.set_length(state.total as u64);
        self.bar.enable_steady_tick(Duration::from_millis(500));
        if self.lines != Lines::Silent {
            let note = if resumed > 0 { format!(", {resumed} from earlier runs") } else { String::new() };
            self.tell(&format!("cells: {} to run{note}", state.total));
        }
    }

    /// A cell begins.
    pub(crate) fn begin(&self, cell: &Cell<'_>) {
        let Ok(mut state) = self.state.lock() else { return };
        state.current.push(cell.key.to_string());
        self.show(&state);
    }

    /// A cell ended.
    pub(crate) fn end(&self, cell: &Cell<'_>, end: &End) {
        let Ok(mut state) = self.state.lock() else { return };
        let name = cell.key.to_string();
        state.current.retain(|current| *current != name);
        state.done += 1;
        state.cost_done += cell.cost;
        self.bar.set_position(state.done as u64);
        self.show(&state);
        match end {
            End::Failed { why, .. } => self.tell(&format!("failed: {name}: {why}")),
            End::Done { finished, .. } if self.lines == Lines::Plain => {
                let took = human(Duration::from_secs_f64(finished.seconds));
                self.tell(&format!("[{}/{}] {name}: {took}{}", state.done, state.total, state.left()));
            }
            End::Done { .. } => {}
        }
    }

    /// The grid is through.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self, state: &State) {
        self.bar.set_message(format!("{}{}", state.current.join(" | "), state.left()));
    }

    fn tell(&self, line: &str) {
        match self.lines {
            Lines::Bar => self.bar.suspend(|| eprintln!("{line}")),
            Lines::Plain => eprintln!("{line}"),
            Lines::Silent => {}
        }
    }
}

impl State {
    fn left(&self) -> String {
        let Some(since) = self.since.filter(|_| self.cost_done > 0.0 && self.done < self.total) else {
            return String::new();
        };
        let rate = since.elapsed().as_secs_f64() / self.cost_done;
        let left = (self.cost_total - self.cost_done).max(0.0) * rate;
        format!(", about {} left", human(Duration::from_secs_f64(left)))
    }
}
