//! What the kernel says of processes: processor time and memory.

use std::fs;
use std::time::Duration;

/// Linux counts processor time in hundredths of a second, whatever the machine.
const TICK: Duration = Duration::from_millis(10);

/// Processors, their kind, memory, and who else is at work.
pub(crate) fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("\t: unknown");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    format!(
        "Machine: {cores} cores ({}), load before the run {load}",
        model.trim_start_matches(['\t', ' ', ':'])
    )
}

/// The processor time that a process has used, with that of its ended children.
pub(crate) fn cpu(process: u32) -> Duration {
    let fields = stat(process).unwrap_or_default();
    let ticks: u32 =
        fields.get(11..15).into_iter().flatten().filter_map(|field| field.parse::<u32>().ok()).sum();
    TICK * ticks
}

/// The processor time of a process and of all that it started.
pub(crate) fn cpu_of_family(process: u32) -> Duration {
    let children = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let child: u32 = entry.file_name().to_str()?.parse().ok()?;
        let parent: u32 = stat(child)?.get(1)?.parse().ok()?;
        (parent == process).then_some(child)
    });
    children.map(cpu).sum::<Duration>() + cpu(process)
}

/// Memory in use, in bytes.
pub(crate) fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1_024
}

/// The fields behind the name, which is in brackets and may hold anything: state, parent ...
fn stat(process: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(text.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect())
}
