//! What `--help` says is complete, and what the documentation says of it is true.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::{Arg, ArgAction, Command, CommandFactory as _};

use super::Cli;

/// How the help names the unit of a number whose flag ends like this.
const UNITS: [(&str, &str); 9] = [
    ("-bytes-max", "in bytes"),
    ("-ms", "in milliseconds"),
    ("-s", "in seconds"),
    ("-days", "in days"),
    ("-ratio", "from 0.0 to 1.0"),
    ("-per-minute", "per minute"),
    ("-per-hour", "per hour"),
    ("-at-once", "at once"),
    ("-free", "in a row"),
];

/// The groups of settings, in the order of the help.
const HEADINGS: [&str; 8] = [
    "Serving",
    "Data",
    "Doors",
    "Observing",
    "Limits of one caller",
    "Limits of requests",
    "Limits of sockets",
    "Limits of the log",
];

/// A command and those below it, with the line that calls it.
fn commands(command: &Command, line: &str, found: &mut Vec<(String, Command)>) {
    found.push((line.to_owned(), command.clone()));
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        commands(below, &format!("{line} {}", below.get_name()), found);
    }
}

fn all() -> Vec<(String, Command)> {
    let mut root = Cli::command();
    root.build();
    let mut found = Vec::new();
    commands(&root, "annal", &mut found);
    found
}

/// The flags of `annal serve`, those of every command included.
fn settings() -> Vec<Arg> {
    let serve = all().into_iter().find(|(line, _)| line == "annal serve").expect("annal serve").1;
    let flags = serve.get_arguments().filter(|flag| !["help", "version"].contains(&flag.get_id().as_str()));
    flags.cloned().collect()
}

fn long(setting: &Arg) -> &str {
    setting.get_long().expect("a setting has a long flag")
}

fn help(setting: &Arg) -> String {
    setting.get_long_help().or(setting.get_help()).map(ToString::to_string).unwrap_or_default()
}

fn variable(setting: &Arg) -> String {
    setting.get_env().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn default(setting: &Arg) -> Option<String> {
    setting.get_default_values().first().map(|value| value.to_string_lossy().into_owned())
}

#[test]
fn every_command_and_every_argument_says_what_it_is() {
    for (line, command) in all() {
        assert!(command.get_about().is_some(), "{line} says nothing of itself");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{line}: {} says nothing of itself", argument.get_id());
        }
    }
}

#[test]
fn every_setting_has_a_variable_and_a_heading() {
    for setting in settings() {
        let (flag, variable) = (long(&setting), variable(&setting));
        let heading = setting.get_help_heading().unwrap_or_default();
        assert!(HEADINGS.contains(&heading), "--{flag} stands under {heading:?}");
        if variable != "DATABASE_URL" {
            assert_eq!(variable, format!("ANNAL_{}", flag.replace('-', "_").to_uppercase()), "--{flag}");
        }
    }
}

#[test]
fn a_heading_holds_only_for_what_belongs_under_it() {
    let all = settings();
    let heading = |flag: &str| {
        all.iter().find(|setting| long(setting) == flag).and_then(Arg::get_help_heading).map(str::to_owned)
    };
    for (flag, expected) in [
        ("listen", "Serving"),
        ("drain-s", "Serving"),
        ("data", "Data"),
        ("read-connections-max", "Data"),
        ("log", "Observing"),
        ("trace-ratio", "Observing"),
        ("body-bytes-max", "Limits of requests"),
        ("catch-up-events-max", "Limits of sockets"),
        ("live-batches-max", "Limits of the log"),
    ] {
        assert_eq!(heading(flag).as_deref(), Some(expected), "--{flag}");
    }
}

#[test]
fn every_number_has_a_default_and_a_unit() {
    for setting in settings() {
        let (flag, help, default) = (long(&setting), help(&setting).to_lowercase(), default(&setting));
        let named = UNITS.iter().find(|(end, _)| flag.ends_with(end));
        let counts = flag.strip_suffix("-max").filter(|_| named.is_none());
        let is_number = default.as_ref().is_some_and(|value| value.parse::<f64>().is_ok());
        assert!(!is_number || named.is_some() || counts.is_some(), "--{flag} does not end with its unit");
        if let Some((_, unit)) = named {
            assert!(help.contains(unit), "--{flag} does not say that it is {unit}: {help}");
        }
        if let Some(counted) = counts {
            let says = counted.split('-').any(|word| help.contains(word));
            assert!(says, "--{flag} does not say what it counts: {help}");
        }
        let has_default = default.is_some() || help.contains("default:");
        assert!(has_default || (named.is_none() && counts.is_none()), "--{flag} has no default");
    }
}

/// Rows of the tables in the page of operations whose first cell begins so: their cells.
pub(crate) fn rows(first: &str) -> Vec<Vec<String>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let page = fs::read_to_string(page).expect("docs/operations.md");
    let cells = |line: &str| {
        let cells = line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned());
        cells.collect::<Vec<_>>()
    };
    page.lines().filter(|line| line.starts_with(&format!("| `{first}"))).map(cells).collect()
}

#[test]
fn the_documentation_lists_every_setting_with_its_default() {
    let rows: Vec<Vec<String>> = rows("ANNAL_").into_iter().chain(rows("DATABASE_URL")).collect();
    let documented: BTreeSet<&str> =
        rows.iter().flat_map(|row| row[0].split(", ").map(|name| name.trim_matches('`'))).collect();
    for setting in settings() {
        let name = variable(&setting);
        assert!(documented.contains(name.as_str()), "docs/operations.md does not list {name}");
        let row = rows.iter().find(|row| row[0].contains(&format!("`{name}`"))).expect("a row");
        if let (ArgAction::Set, Some(default)) = (setting.get_action(), default(&setting)) {
            assert_eq!(row[1].trim_matches('`'), default, "the default of {name} in docs/operations.md");
        }
    }
    let known: BTreeSet<String> = settings().iter().map(variable).collect();
    for name in documented {
        assert!(known.contains(name), "docs/operations.md lists {name}, which is no setting");
    }
}
