//! The addresses of the server.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use axum::{Json, Router};
use rust_embed::Embed;

use super::readiness::Health;
use crate::accounts::Sessions;
use crate::graphql::AnnalSchema;
use crate::transport::{self, Transport};

/// The built playground.
#[derive(Embed)]
#[folder = "assets/playground/"]
struct PlaygroundFiles;

/// All routes, with the playground or without.
pub(super) fn router(
    transport: Transport<AnnalSchema, Sessions>,
    checks: Router,
    playground: bool,
) -> Router {
    let routes = Router::new()
        .route("/", get(move || async move { welcome(playground) }))
        .merge(checks)
        .merge(transport::routes(transport));
    if playground { routes.merge(transport::playground::<PlaygroundFiles>()) } else { routes }
}

/// Whether the process runs, and whether it is of use.
pub(super) fn checks(health: Health) -> Router {
    let ready = Router::new().route("/readyz", get(ready)).with_state(health);
    Router::new().route("/healthz", get(|| async { "ok\n" })).merge(ready)
}

/// What the server waits for; 503 unless that is nothing.
async fn ready(State(health): State<Health>) -> impl IntoResponse {
    let readiness = health.look().await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(readiness))
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
