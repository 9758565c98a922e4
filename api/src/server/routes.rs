//! The addresses of the server.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use eventlog::EventLog;
use projections::{ViewState, Views, Waited};
use rust_embed::Embed;

use crate::accounts::Sessions;
use crate::graphql::AnnalSchema;
use crate::transport::{self, Transport};

/// The built playground.
#[derive(Embed)]
#[folder = "assets/playground/"]
struct PlaygroundFiles;

/// How far behind the views may be while the server counts as ready.
const READY_PATIENCE: Duration = Duration::from_secs(2);

/// What health checks ask.
#[derive(Clone)]
pub(super) struct Health {
    pub(super) log: EventLog,
    pub(super) views: Views,
}

/// All routes, with the playground or without.
pub(super) fn router(
    transport: Transport<AnnalSchema, Sessions>,
    health: Health,
    playground: bool,
) -> Router {
    let checks = Router::new().route("/readyz", get(ready)).with_state(health);
    let routes = Router::new()
        .route("/", get(move || async move { welcome(playground) }))
        .route("/healthz", get(|| async { "ok\n" }))
        .merge(checks)
        .merge(transport::routes(transport));
    if playground { routes.merge(transport::playground::<PlaygroundFiles>()) } else { routes }
}

/// Ready when the database answers, the views are where the log is, and none of them has stopped.
async fn ready(State(health): State<Health>) -> impl IntoResponse {
    let Ok(head) = health.log.head().await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n");
    };
    if health.views.wait_for(head, READY_PATIENCE).await == Waited::TimedOut {
        return (StatusCode::SERVICE_UNAVAILABLE, "the views are behind\n");
    }
    match projections::status(health.log.pool()).await {
        Ok(views) if !views.iter().any(|view| matches!(view.state, ViewState::Stopped { .. })) => {
            (StatusCode::OK, "ready\n")
        }
        Ok(_) => (StatusCode::SERVICE_UNAVAILABLE, "a view has stopped: see `annal views status`\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the views do not answer\n"),
    }
}

fn welcome(playground: bool) -> Html<String> {
    let playground =
        if playground { "<li><a href=\"/playground/\">Playground · 试验场</a></li>" } else { "" };
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Annal</title>\
         <h1>Annal</h1><p>A self-hosted instant messenger backend. 可自行部署的即时通讯后端。</p>\
         <ul>{playground}\
         <li><a href=\"/schema.graphql\">Schema</a></li>\
         <li><a href=\"/readyz\">Health · 状态</a></li></ul></html>",
    ))
}
