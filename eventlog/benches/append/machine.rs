//! What the figures were measured on, and what the disk can do in the same minute.

use std::fs;
use std::process::Command;

use eventlog::cluster::Cluster;

/// Processors, their kind, and memory.
pub(crate) fn line() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("\t: unknown");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory =
        memory.lines().next().unwrap_or_default().split_whitespace().nth(1).unwrap_or("0").to_owned();
    let gib = memory.parse::<u64>().unwrap_or(0) / 1024 / 1024;
    format!("Machine: {cores} cores ({}), {gib} GiB", model.trim_start_matches(['\t', ' ', ':']))
}

/// Single-row durable commits per second as pgbench counts them, at 1, 8 and 32 clients.
pub(crate) fn pgbench(cluster: &Cluster) -> String {
    let url = cluster.url("postgres");
    let script = std::env::temp_dir().join("annal-pgbench.sql");
    fs::write(&script, "INSERT INTO single_row VALUES (1);").unwrap();
    let sql = ["-qc", "CREATE TABLE IF NOT EXISTS single_row (v int)"];
    Command::new("psql").arg(&url).args(sql).status().unwrap();
    let rate = |clients: &str| {
        let run = ["-n", "-T", "2", "-c", clients, "-j", "2", "-f", script.to_str().unwrap(), &url];
        let out = Command::new(program()).args(run).output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let tps =
            text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
        format!("{:.0}", tps.unwrap_or(f64::NAN))
    };
    format!(
        "pgbench, single-row durable commits/s at 1 / 8 / 32 clients: {} / {} / {}",
        rate("1"),
        rate("8"),
        rate("32")
    )
}

/// pgbench lies beside the server's programs, which need not be on PATH.
fn program() -> String {
    let found = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> =
        found.map(|version| version.path().join("bin/pgbench")).filter(|p| p.exists()).collect();
    found.sort();
    found.pop().map_or_else(|| "pgbench".to_owned(), |path| path.to_string_lossy().into_owned())
}
