//! One cell of the table: so many callers, so long.

use std::fmt;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::Load;
use crate::cpu::Cpu;

/// Who is measured.
pub(crate) trait Contestant {
    /// Executes one command and returns when it is committed.
    async fn command(&self, load: Load, caller: usize, turn: usize);
}

/// What is measured.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) load: Load,
    pub(crate) callers: usize,
    pub(crate) time: Duration,
    /// PostgreSQL's first process.
    pub(crate) server: u32,
}

/// Commands per second and how long one took.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    p50: Duration,
    p99: Duration,
    max: Duration,
    /// Processor time per command.
    cpu: Cpu,
}

impl Figures {
    /// The round with the median rate.
    pub(crate) fn median(mut rounds: Vec<Self>) -> Self {
        rounds.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
        rounds[rounds.len() / 2]
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |duration: Duration| duration.as_secs_f64() * 1_000.0;
        let (p50, p99, max) = (ms(self.p50), ms(self.p99), ms(self.max));
        let (own, postgres) = (self.cpu.own.as_micros(), self.cpu.postgres.as_micros());
        write!(f, "{:.0} ({p50:.1}, {p99:.1}, {max:.0}; {own} + {postgres})", self.per_second)
    }
}

/// Lets all callers send as fast as they are answered.
pub(crate) async fn measure(contestant: &impl Contestant, cell: Cell) -> Figures {
    // One command each, uncounted: connections, plans and states are in memory then.
    join_all((0..cell.callers).map(|caller| contestant.command(cell.load, caller, 0))).await;
    let (begin, cpu) = (Instant::now(), Cpu::now(cell.server));
    let taken = join_all((0..cell.callers).map(|caller| async move {
        let mut taken = Vec::new();
        while begin.elapsed() < cell.time {
            let asked = Instant::now();
            contestant.command(cell.load, caller, taken.len() + 1).await;
            taken.push(asked.elapsed());
        }
        taken
    }))
    .await;
    let time = begin.elapsed().as_secs_f64();
    let cpu = Cpu::now(cell.server).since(cpu);
    let mut taken: Vec<Duration> = taken.into_iter().flatten().collect();
    taken.sort_unstable();
    let at = |share: usize| taken[(taken.len() * share / 100).min(taken.len() - 1)];
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more")]
    let per_second = taken.len() as f64 / time;
    let commands = u32::try_from(taken.len()).unwrap_or(u32::MAX);
    let cpu = Cpu { own: cpu.own / commands, postgres: cpu.postgres / commands };
    Figures { per_second, p50: at(50), p99: at(99), max: at(100), cpu }
}
