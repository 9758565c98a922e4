//! The plans that PostgreSQL really made for the statements of the product, with what they cost.
//!
//! `auto_explain` runs inside the product's own sessions and sends each plan along as a notice, which the
//! driver hands to `tracing`. So the statements, their parameters and the session's settings are those of
//! the product, and this test knows none of them.

#![allow(dead_code, reason = "no test uses everything")]

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};

/// The tables that grow with the use of the product.
const GROWING: [&str; 4] = ["events", "streams", "receipts", "snapshots"];
/// A table of so few rows is rightly read from end to end.
const SMALL_TABLE_ROWS_MAX: u64 = 100;
/// The driver's name for what the server sends beside an answer.
const NOTICES: &str = "sqlx::postgres::notice";

/// Makes every session send its plans.
pub(crate) fn explaining(options: PgConnectOptions, plan_cache_mode: &str) -> PgConnectOptions {
    options.options([
        // A server that compiles whatever it can, unless the session says otherwise.
        ("jit", "on"),
        ("jit_above_cost", "0"),
        ("session_preload_libraries", "auto_explain"),
        ("auto_explain.log_min_duration", "0"),
        ("auto_explain.log_analyze", "on"),
        ("auto_explain.log_buffers", "on"),
        ("auto_explain.log_timing", "off"),
        ("auto_explain.log_format", "json"),
        ("auto_explain.log_level", "notice"),
        ("plan_cache_mode", plan_cache_mode),
    ])
}

/// One statement as it was executed.
#[derive(Clone, Debug)]
pub(crate) struct Explained {
    pub(crate) statement: String,
    /// Rows that scans of growing tables looked at, whether they were of use or not.
    pub(crate) rows: u64,
    /// Pages that the statement touched.
    pub(crate) pages: u64,
    /// Growing tables that were read from end to end.
    pub(crate) scanned: Vec<String>,
    /// Whether the server compiled machine code for it.
    pub(crate) compiled: bool,
    /// Growing tables that appear in the plan.
    touched: bool,
}

/// Collects what is executed on this thread until it is dropped.
pub(crate) struct Plans {
    seen: Arc<Mutex<Vec<Explained>>>,
    _guard: DefaultGuard,
}

impl Plans {
    /// Begins; the test's runtime must have this thread only.
    pub(crate) fn collect() -> Self {
        let seen = Arc::<Mutex<Vec<Explained>>>::default();
        let guard = tracing::subscriber::set_default(Notices(seen.clone()));
        Self { seen, _guard: guard }
    }

    /// The statements on growing tables since the last call, and forgets them.
    pub(crate) fn take(&self) -> Vec<Explained> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        seen.into_iter().filter(|explained| explained.touched).collect()
    }
}

/// The dearest execution of each statement, by its text.
pub(crate) fn by_statement(plans: Vec<Explained>) -> BTreeMap<String, Explained> {
    let mut dearest = BTreeMap::<String, Explained>::new();
    for plan in plans {
        let kept = dearest.entry(plan.statement.clone()).or_insert_with(|| plan.clone());
        if (plan.rows, plan.pages) > (kept.rows, kept.pages) {
            *kept = plan;
        }
    }
    dearest
}

fn parse(notice: &str) -> Option<Explained> {
    let plan: Value = serde_json::from_str(&notice[notice.find('{')?..]).ok()?;
    let mut explained = Explained {
        statement: plan["Query Text"].as_str()?.split_whitespace().collect::<Vec<_>>().join(" "),
        rows: 0,
        pages: number(&plan["Plan"], "Shared Hit Blocks") + number(&plan["Plan"], "Shared Read Blocks"),
        scanned: vec![],
        compiled: !plan["JIT"].is_null(),
        touched: false,
    };
    walk(&plan["Plan"], &mut explained);
    Some(explained)
}

fn walk(node: &Value, explained: &mut Explained) {
    let table = node["Relation Name"].as_str().filter(|table| GROWING.contains(table));
    let kind = node["Node Type"].as_str().unwrap_or_default();
    if let Some(table) = table {
        explained.touched = true;
        if kind.ends_with("Scan") {
            let each = number(node, "Actual Rows")
                + number(node, "Rows Removed by Filter")
                + number(node, "Rows Removed by Index Recheck");
            explained.rows += each * number(node, "Actual Loops");
        }
        if kind == "Seq Scan" && explained.rows > SMALL_TABLE_ROWS_MAX {
            explained.scanned.push(table.to_owned());
        }
    }
    for child in node["Plans"].as_array().into_iter().flatten() {
        walk(child, explained);
    }
}

fn number(node: &Value, name: &str) -> u64 {
    node[name].as_f64().map_or(0, |number| {
        // Counts of rows and pages, far below 2^53; some are averages over loops.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
        let count = number.ceil() as u64;
        count
    })
}

/// Takes the notices out of what the driver reports.
struct Notices(Arc<Mutex<Vec<Explained>>>);

impl Subscriber for Notices {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == NOTICES
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        if let Some(explained) = parse(&text.0) {
            self.0.lock().unwrap().push(explained);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_str(&mut self, _: &Field, value: &str) {
        self.0.push_str(value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            write!(self.0, "{value:?}").unwrap();
        }
    }
}
