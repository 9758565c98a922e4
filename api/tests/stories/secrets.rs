//! What people type is in clear nowhere but where it is shown: not in the log, not in a log line.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::json;
use sqlx::Row as _;

use crate::kit::TestApp;

/// Keeps every log line of the process.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Every log line of this process from now on, from whichever test.
pub(crate) fn all_lines() -> impl Fn() -> String {
    static LINES: OnceLock<Lines> = OnceLock::new();
    let lines = LINES.get_or_init(|| {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing_subscriber::fmt()
            .with_env_filter("debug,api=trace,eventlog=trace,projections=trace")
            .with_writer(move || writer.clone())
            .init();
        lines
    });
    || String::from_utf8_lossy(&lines.0.lock().unwrap()).to_lowercase()
}

#[tokio::test]
async fn passwords_tokens_names_and_texts_are_in_no_table_of_the_log_and_in_no_log_line() {
    let lines = all_lines();
    let app = TestApp::start().await;
    let (ann, _, conversation) = app.friends("MarkerName1", "robert01").await;
    ann.sends(&conversation, "MarkerText 标记").await;
    let input = json!({ "userName": "MarkerName1", "password": "MarkerPassword" });
    ann.attempt("signIn", input, "token").await;
    ann.run("mutation { register(input: { userName: \"MarkerName1\", password: \"MarkerPassword\\u0000\" }) { token } }", json!({}))
        .await;
    let token = ann.token.clone().unwrap();
    let tables = sqlx::query(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'views')",
    )
    .fetch_all(&app.database.pool())
    .await
    .unwrap();
    for table in tables {
        let name: String = table.get("name");
        // Bound, so that our own statement is no log line with a secret.
        let found: i64 = sqlx::query_scalar(&format!("SELECT count(*) FROM {name} AS t WHERE t::text ~* $1"))
            .bind(format!("marker|标记|{token}"))
            .fetch_one(&app.database.pool())
            .await
            .unwrap();
        assert_eq!(found, 0, "{name}");
    }
    app.views_equal_their_rebuild().await;
    let lines = lines();
    assert!(lines.contains("leading a projection"), "the lines are those of our process");
    let line = lines.lines().find(|line| line.contains("marker"));
    assert_eq!(line, None, "a line shows what somebody typed");
    for secret in ["marker", "标记", token.to_lowercase().as_str(), crate::kit::PASSWORD] {
        assert!(!lines.contains(secret), "{secret} was logged");
    }
}
