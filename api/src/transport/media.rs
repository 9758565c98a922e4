//! Content negotiation: what the client sends, and what it wants back.

use axum::http::{HeaderMap, HeaderValue, header};

/// The two media types of a GraphQL answer (GraphQL over HTTP, "Media Types").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/json`: refusals of well-formed requests are 200.
    Json,
    /// `application/graphql-response+json`: refusals have a status of their own.
    GraphqlResponse,
}

impl Media {
    /// The value of `Content-Type`.
    pub(crate) fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }

    /// What the client prefers; `application/json` when it says nothing, `None` when it accepts neither.
    ///
    /// Between equal weights the more specific range wins, then the earlier one.
    pub(crate) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<(Self, Weight)> = None;
        let mut asked = false;
        for value in headers.get_all(header::ACCEPT) {
            let Ok(value) = value.to_str() else { continue };
            for range in value.split(',').map(str::trim).filter(|range| !range.is_empty()) {
                asked = true;
                let Some((media, weight)) = Self::of_range(range) else { continue };
                if weight.quality > 0.0 && best.is_none_or(|(_, held)| weight.outranks(held)) {
                    best = Some((media, weight));
                }
            }
        }
        if asked { best.map(|(media, _)| media) } else { Some(Self::Json) }
    }

    fn of_range(range: &str) -> Option<(Self, Weight)> {
        let mut pieces = range.split(';').map(str::trim);
        let (media, specific) = match pieces.next()?.to_ascii_lowercase().as_str() {
            "application/json" => (Self::Json, true),
            "application/graphql-response+json" => (Self::GraphqlResponse, true),
            "application/*" | "*/*" => (Self::Json, false),
            _ => return None,
        };
        let mut quality = 1.0;
        for piece in pieces {
            match piece.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
                Some((key, value)) if key.eq_ignore_ascii_case("q") => quality = value.parse().unwrap_or(0.0),
                Some((key, value)) if key.eq_ignore_ascii_case("charset") && !is_utf8(value) => return None,
                _ => {}
            }
        }
        Some((media, Weight { quality, specific }))
    }
}

#[derive(Clone, Copy)]
struct Weight {
    quality: f32,
    specific: bool,
}

impl Weight {
    fn outranks(self, other: Self) -> bool {
        self.quality > other.quality || (self.quality >= other.quality && self.specific && !other.specific)
    }
}

/// True for `application/json`, with no charset or UTF-8, and no content coding.
///
/// Nothing else is taken: a page of another origin can send `text/plain`, `multipart/form-data` and
/// url-encoded forms with a visitor's cookie and without asking, but not JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let plain = headers.get(header::CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
    let Some(Ok(value)) = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str) else { return false };
    let mut pieces = value.split(';').map(str::trim);
    plain
        && pieces.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
        && pieces.all(|piece| match piece.split_once('=') {
            Some((key, value)) if key.trim().eq_ignore_ascii_case("charset") => is_utf8(value),
            _ => true,
        })
}

fn is_utf8(charset: &str) -> bool {
    let name = charset.trim().trim_matches('"');
    name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn the_answer_has_the_type_that_the_client_prefers() {
        let graphql = Some(Media::GraphqlResponse);
        for (accept, media) in [
            ("*/*", Some(Media::Json)),
            ("application/*", Some(Media::Json)),
            ("application/json", Some(Media::Json)),
            ("application/graphql-response+json", graphql),
            ("application/graphql-response+json, application/json;q=0.9", graphql),
            ("application/graphql-response+json, application/json", graphql),
            ("application/json;q=0.5, application/graphql-response+json;q=0.4", Some(Media::Json)),
            ("*/*, application/graphql-response+json", graphql),
            ("text/html, */*;q=0.1", Some(Media::Json)),
            ("application/json; charset=latin1", None),
            ("application/json;q=0", None),
            ("text/html", None),
        ] {
            assert_eq!(Media::negotiate(&one(header::ACCEPT, accept)), media, "{accept}");
        }
        assert_eq!(Media::negotiate(&HeaderMap::new()), Some(Media::Json));
    }

    #[test]
    fn only_json_in_utf_8_is_read() {
        for (kind, taken) in [
            ("application/json", true),
            ("Application/JSON ; charset=\"UTF-8\"", true),
            ("application/json; charset=utf-16", false),
            ("application/graphql", false),
            ("text/plain", false),
            ("multipart/form-data; boundary=x", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            assert_eq!(is_json(&one(header::CONTENT_TYPE, kind)), taken, "{kind}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
