//! Finds PostgreSQL's server programs on this system.

use super::error::ClusterError;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest major version that Annal is tested with.
const OLDEST_MAJOR: u32 = 15;

/// Where distributions put server programs: parent folder, start of the entry's name, folder below it.
const PLACES: &[(&str, &str, &str)] = &[
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
];

/// How each package manager installs a server: its program, whether it needs root, and its line.
const INSTALLERS: &[(&str, bool, &str)] = &[
    ("apt-get", true, "apt-get install -y postgresql"),
    ("dnf", true, "dnf install -y postgresql-server"),
    ("pacman", true, "pacman -S --noconfirm postgresql"),
    ("apk", true, "apk add postgresql"),
    ("zypper", true, "zypper --non-interactive install postgresql-server"),
    ("brew", false, "brew install postgresql@17"),
];

/// The programs of one installed PostgreSQL server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binaries {
    pub(crate) major: u32,
    folder: PathBuf,
}

impl Binaries {
    /// The server program itself.
    pub(crate) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    /// The program that makes a new cluster.
    pub(crate) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    /// Picks the newest server, or for an existing cluster one of the major version that made it.
    pub(crate) fn find(cluster: Option<(&Path, u32)>) -> Result<Self, ClusterError> {
        choose(installed(), cluster)
    }
}

/// Chooses among installed servers, by ascending major version.
fn choose(
    mut servers: BTreeMap<u32, PathBuf>,
    cluster: Option<(&Path, u32)>,
) -> Result<Binaries, ClusterError> {
    let needed = OLDEST_MAJOR;
    let Some((&newest, _)) = servers.last_key_value() else {
        return Err(ClusterError::ServerMissing { needed, install: install_line() });
    };
    if newest < needed {
        return Err(ClusterError::ServerTooOld { found: newest, needed, install: install_line() });
    }
    let major = cluster.map_or(newest, |(_, made_by)| made_by);
    match (servers.remove(&major), cluster) {
        (Some(folder), _) => Ok(Binaries { major, folder }),
        (None, Some((folder, made_by))) => Err(ClusterError::OtherMajorVersion {
            folder: folder.to_owned(),
            made_by,
            installed: join(servers.keys()),
        }),
        (None, None) => Err(ClusterError::ServerMissing { needed, install: install_line() }),
    }
}

/// Every installed server by its major version; the first folder found wins for each.
fn installed() -> BTreeMap<u32, PathBuf> {
    let mut servers = BTreeMap::new();
    for folder in candidate_folders() {
        if let Some(major) = major_version(&folder) {
            servers.entry(major).or_insert(folder);
        }
    }
    servers
}

/// Folders that hold both programs, symbolic links resolved, without repeats.
fn candidate_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::env::var_os("PATH").iter().flat_map(std::env::split_paths).filter(|p| p.is_absolute()).collect();
    for &(parent, start, below) in PLACES {
        folders.extend(entries_starting(Path::new(parent), start).map(|entry| entry.join(below)));
    }
    folders.extend(pg_config_folder());
    let mut seen = Vec::new();
    for folder in folders {
        let both = folder.join("postgres").is_file() && folder.join("initdb").is_file();
        if let (true, Ok(real)) = (both, folder.canonicalize())
            && !seen.contains(&real)
        {
            seen.push(real);
        }
    }
    seen
}

/// The entries of a folder whose names start so; none when the folder is not there.
fn entries_starting(parent: &Path, start: &str) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter(move |entry| entry.file_name().to_string_lossy().starts_with(start))
        .map(|entry| entry.path())
}

/// Where `pg_config`, if there is one, says that the programs are.
fn pg_config_folder() -> Option<PathBuf> {
    printed(Command::new("pg_config").arg("--bindir")).map(|line| PathBuf::from(line.trim()))
}

/// The major version that `postgres --version` prints, as in "postgres (PostgreSQL) 15.18 (Debian ...)".
fn major_version(folder: &Path) -> Option<u32> {
    let line = printed(Command::new(folder.join("postgres")).arg("--version"))?;
    parse_major(&line)
}

/// Reads the major version; also of "17beta1", which is served by version 17.
fn parse_major(line: &str) -> Option<u32> {
    let version = line.split_once("(PostgreSQL) ")?.1;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The standard output of a command that succeeded.
fn printed(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The exact line that installs a server here.
fn install_line() -> String {
    let on_path = |program: &str| {
        std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
    };
    let sudo = if rustix::process::geteuid().is_root() { "" } else { "sudo " };
    INSTALLERS.iter().find(|(program, ..)| on_path(program)).map_or_else(
        || format!("your system's package manager (PostgreSQL server, version {OLDEST_MAJOR} or newer)"),
        |&(_, needs_root, line)| format!("{}{line}", if needs_root { sudo } else { "" }),
    )
}

/// Version numbers as a list for a text.
fn join<'a>(majors: impl Iterator<Item = &'a u32>) -> String {
    majors.map(u32::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(majors: &[u32]) -> BTreeMap<u32, PathBuf> {
        majors.iter().map(|major| (*major, PathBuf::from(format!("/pg/{major}")))).collect()
    }

    #[test]
    fn the_newest_server_makes_a_new_cluster() {
        assert_eq!(choose(servers(&[14, 15, 17]), None).unwrap().major, 17);
    }

    #[test]
    fn an_existing_cluster_is_served_by_its_own_version() {
        let folder = Path::new("/data");
        assert_eq!(choose(servers(&[15, 17]), Some((folder, 15))).unwrap().major, 15);
        let error = choose(servers(&[16, 17]), Some((folder, 15))).unwrap_err();
        assert!(error.to_string().contains("made by PostgreSQL 15, but only 16, 17"), "{error}");
    }

    #[test]
    fn a_missing_or_old_server_names_the_line_to_type() {
        assert!(matches!(choose(servers(&[]), None), Err(ClusterError::ServerMissing { .. })));
        let error = choose(servers(&[13]), None).unwrap_err();
        assert!(matches!(error, ClusterError::ServerTooOld { found: 13, .. }), "{error}");
    }

    #[test]
    fn versions_are_read_from_every_form_that_is_printed() {
        for (line, major) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 17beta1", Some(17)),
            ("postgres (PostgreSQL) devel", None),
            ("something else", None),
        ] {
            assert_eq!(parse_major(line), major, "{line}");
        }
    }
}
