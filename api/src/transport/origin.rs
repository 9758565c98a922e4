//! Whether a browser page may act with a visitor's cookie: only pages of this host or of a listed origin.

use axum::http::header;
use axum::http::request::Parts;

/// True when the request comes from no page (no `Origin`), from a page of the same host, or from a
/// listed origin.
///
/// The scheme is not compared with ours: behind a proxy that ends TLS the server does not know it.
/// Browsers send `Origin` with every POST and every WebSocket. Without it the request is no browser's, or a
/// GET: then `Sec-Fetch-Site`, which pages cannot forge either, must not name another site or a sibling host.
pub(crate) fn is_own(parts: &Parts, allowed: &[String]) -> bool {
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = parts.headers.get(header::ORIGIN) else {
        return text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    };
    let Ok(origin) = origin.to_str() else { return false };
    if allowed.iter().any(|listed| listed.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return true;
    }
    let host = text("host").or_else(|| parts.uri.authority().map(axum::http::uri::Authority::as_str));
    let Some((scheme, origin_host)) = origin.split_once("://") else { return false };
    host.is_some_and(|host| same_host(scheme, origin_host, host))
}

/// Compares `host[:port]` pairs; an origin leaves out the default port of its scheme, a `Host` may not.
fn same_host(scheme: &str, origin_host: &str, host: &str) -> bool {
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare = |text: &str| text.strip_suffix(default_port).unwrap_or(text).to_ascii_lowercase();
    bare(origin_host) == bare(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri("/graphql");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_own_and_listed_origins_pass() {
        let allowed = ["https://chat.example.org".to_owned()];
        for (headers, own) in [
            (vec![("host", "a.example:8000")], true),
            (vec![("host", "a.example:8000"), ("origin", "http://a.example:8000")], true),
            (vec![("host", "a.example:443"), ("origin", "https://A.example")], true),
            (vec![("host", "a.example"), ("origin", "https://chat.example.org")], true),
            (vec![("host", "a.example"), ("origin", "https://a.example.evil.org")], false),
            (vec![("host", "a.example:8000"), ("origin", "http://a.example")], false),
            (vec![("host", "a.example"), ("origin", "null")], false),
            (vec![("host", "a.example"), ("sec-fetch-site", "cross-site")], false),
            (vec![("host", "a.example"), ("sec-fetch-site", "same-site")], false),
            (vec![("host", "a.example"), ("sec-fetch-site", "same-origin")], true),
            (vec![("host", "a.example"), ("sec-fetch-site", "none")], true),
        ] {
            assert_eq!(is_own(&parts(&headers), &allowed), own, "{headers:?}");
        }
    }
}
