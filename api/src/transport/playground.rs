//! The playground: prebuilt files inside the binary, served without any request to the outside.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Redirect, Response};
use axum::routing::get;
use rust_embed::{Embed, EmbeddedFile};

/// Where the page lives; the files are built for this base path.
const BASE: &str = "/playground/";

/// What the page may load: its own files only.
///
/// The editor writes style elements, its workers are files of ours or blobs that import them; nothing else
/// is loosened. `'self'` in `connect-src` covers the socket on the same host.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    font-src 'self' data:; img-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; \
    manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes `/playground` (redirects) and `/playground/…`, serving the embedded folder `F`.
///
/// `index.html` is revalidated at each visit, files under `assets/` carry a hash in their name and never
/// change, everything has an `ETag`. `F` is a `#[derive(rust_embed::Embed)]` struct over the built folder.
pub fn playground<F: Embed + 'static>() -> Router {
    Router::new()
        .route("/playground", get(|| async { Redirect::permanent(BASE) }))
        .route("/playground/", get(|headers: HeaderMap| async move { serve::<F>("index.html", &headers) }))
        .route(
            "/playground/{*path}",
            get(|Path(path): Path<String>, headers: HeaderMap| async move { serve::<F>(&path, &headers) }),
        )
}

fn serve<F: Embed>(path: &str, headers: &HeaderMap) -> Response {
    let Some(file) = F::get(path) else {
        let mut missing = Response::new(Body::from("not found"));
        *missing.status_mut() = StatusCode::NOT_FOUND;
        return missing;
    };
    let tag = etag(&file);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let unchanged =
        known.is_some_and(|list| list.split(',').any(|known| known.trim().trim_start_matches("W/") == tag));
    let mut out = Response::new(if unchanged { Body::empty() } else { Body::from(file.data) });
    if unchanged {
        *out.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let named = out.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(file.metadata.mimetype()) {
        named.insert(header::CONTENT_TYPE, kind);
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        named.insert(header::ETAG, tag);
    }
    named.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    named.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    named.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    named.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    out
}

/// The first half of the file's SHA-256 in hexadecimal, quoted.
fn etag(file: &EmbeddedFile) -> String {
    use std::fmt::Write;
    let hash = file.metadata.sha256_hash();
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in &hash[..16] {
        if write!(tag, "{byte:02x}").is_err() {
            break;
        }
    }
    tag.push('"');
    tag
}
