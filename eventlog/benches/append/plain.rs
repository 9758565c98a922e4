//! Plain cqrs-es with postgres-es, as their documentation shows it: the same rules, text in clear.

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, AggregateError, CqrsFramework, DomainEvent};
use eventlog::testing::PrivateCluster;
use postgres_es::{PostgresCqrs, postgres_cqrs};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::{Load, text};

/// Streams of the load with many; every caller walks through all of them from a place of its own.
const STREAMS: usize = 4_096;
/// How far apart the callers begin.
const APART: usize = 64;
/// Callers at most, and so long streams.
const CALLERS_MAX: i64 = 64;
/// Connections: as many as help on two cores.
const CONNECTIONS: u32 = 32;

#[derive(Default, Serialize, Deserialize)]
struct Chat {
    last: u32,
}

struct Send {
    sender: String,
    text: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
enum ChatEvent {
    Sent { number: u32, sender: String, text: String },
}

impl DomainEvent for ChatEvent {
    fn event_type(&self) -> String {
        "Sent".to_owned()
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

impl Aggregate for Chat {
    const TYPE: &'static str = "chat";
    type Command = Send;
    type Event = ChatEvent;
    type Error = std::fmt::Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Send,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), std::fmt::Error> {
        let Send { sender, text } = command;
        sink.write(ChatEvent::Sent { number: self.last + 1, sender, text }, self).await;
        Ok(())
    }

    fn apply(&mut self, event: ChatEvent) {
        let ChatEvent::Sent { number, .. } = event;
        self.last = number;
    }
}

pub(crate) struct Plain {
    framework: PostgresCqrs<Chat>,
    pool: PgPool,
}

impl Plain {
    pub(crate) async fn prepare(cluster: &PrivateCluster) -> Self {
        let cluster = cluster.cluster().unwrap();
        cluster.ensure_database("plain").await.unwrap();
        let options = cluster.connect_options("plain");
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await.unwrap();
        // The table that the crate documents, and long streams.
        sqlx::raw_sql(
            "CREATE TABLE events (aggregate_type text NOT NULL, aggregate_id text NOT NULL,
                sequence bigint CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL,
                event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
                PRIMARY KEY (aggregate_type, aggregate_id, sequence))",
        )
        .execute(&pool)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO events SELECT 'chat', 'long-' || stream, n, 'Sent', '1.0',
                json_build_object('Sent', json_build_object('number', n, 'sender', 'somebody', 'text', $1::text)),
                '{}'::json FROM generate_series(0, $2 - 1) AS stream, generate_series(1, 10000) AS n",
        )
        .bind(text())
        .bind(CALLERS_MAX)
        .execute(&pool)
        .await
        .unwrap();
        sqlx::raw_sql("ANALYZE").execute(&pool).await.unwrap();
        Self { framework: postgres_cqrs(pool.clone(), vec![], ()), pool }
    }

    pub(crate) async fn send(&self, load: Load, caller: usize, turn: usize) {
        let stream = match load {
            Load::ManyStreams => format!("many-{}", (caller * APART + turn) % STREAMS),
            Load::OneHotStream => "hot".to_owned(),
            Load::LongStreams => format!("long-{caller}"),
        };
        loop {
            let command = Send { sender: "somebody".to_owned(), text: text() };
            let framework: &CqrsFramework<_, _> = &self.framework;
            match framework.execute(&stream, command).await {
                Ok(()) => return,
                Err(AggregateError::AggregateConflict) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub(crate) async fn finish(self) {
        self.pool.close().await;
    }
}
