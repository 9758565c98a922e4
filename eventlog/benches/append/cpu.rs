//! Processor time of this process and of PostgreSQL: steadier than the rate on a machine that others use, too.

use std::fs;
use std::process;
use std::time::Duration;

/// Clock ticks per second in /proc, fixed on Linux (proc(5)).
const TICKS_PER_SECOND: u32 = 100;

/// Processor time used so far.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    pub(crate) own: Duration,
    pub(crate) postgres: Duration,
}

impl Cpu {
    /// As of now; `server` is PostgreSQL's first process.
    pub(crate) fn now(server: u32) -> Self {
        let of = |pid: u32, ended_children: bool| {
            let times = stat(pid).map_or([0; 4], |(_, times)| times);
            times.iter().take(if ended_children { 4 } else { 2 }).sum::<u32>()
        };
        let children = fs::read_dir("/proc").into_iter().flatten().flatten();
        let children = children.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let children = children.filter(|pid| stat(*pid).is_some_and(|(parent, _)| parent == server));
        let ticks = of(server, true) + children.map(|pid| of(pid, false)).sum::<u32>();
        let time = |ticks: u32| Duration::from_secs(1) * ticks / TICKS_PER_SECOND;
        Self { own: time(of(process::id(), false)), postgres: time(ticks) }
    }

    /// Used since then.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            own: self.own.saturating_sub(earlier.own),
            postgres: self.postgres.saturating_sub(earlier.postgres),
        }
    }
}

/// Parent, and user and system time of a process and of its children that ended, in ticks (proc(5), stat).
fn stat(pid: u32) -> Option<(u32, [u32; 4])> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u32>().ok();
    Some((number(1)?, [number(11)?, number(12)?, number(13)?, number(14)?]))
}
