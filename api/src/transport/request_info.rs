//! What resolvers may know about the request itself.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use opentelemetry::trace::SpanContext;

use super::config::TransportConfig;
use super::observed;

/// Longest user agent kept, in bytes; the rest is cut.
const USER_AGENT_BYTES_MAX: usize = 256;

/// The languages the product speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, also for every language we do not speak.
    #[default]
    En,
    /// Chinese.
    Zh,
}

/// How the operation came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// `/graphql`.
    Http,
    /// `/graphql/ws`.
    Socket,
}

/// The request as resolvers see it, in the request's data.
///
/// Address and user agent are personal data: seal them, never log them.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    /// The caller's address; unknown when the server was not started with connect info.
    pub peer: Option<IpAddr>,
    /// The caller's software as it calls itself, at most 256 bytes.
    pub user_agent: Option<Arc<str>>,
    /// The language for messages to this caller.
    pub language: Language,
    /// How the operation came in.
    pub channel: Channel,
    /// Sixteen hexadecimal digits that name this request (or socket) in logs and in fault answers.
    pub correlation: Arc<str>,
    /// The span of the caller, when it handed its trace over.
    pub(crate) parent: Option<SpanContext>,
}

impl RequestInfo {
    /// Reads what the head of a request tells.
    pub(crate) fn read(parts: &Parts, config: &TransportConfig, channel: Channel) -> Self {
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let forwarded = if config.forwarded_for_trusted { forwarded_for(&parts.headers) } else { None };
        Self {
            peer: forwarded.or(connected),
            user_agent: text(header::USER_AGENT).map(|agent| cut(agent).into()),
            language: text(header::ACCEPT_LANGUAGE).map(Language::of_header).unwrap_or_default(),
            channel,
            correlation: new_correlation(),
            parent: observed::parent(&parts.headers),
        }
    }

    /// Nobody's request: payloads that go to many sockets are made with it.
    pub(crate) fn of_nobody(language: Language) -> Self {
        Self {
            peer: None,
            user_agent: None,
            language,
            channel: Channel::Socket,
            correlation: new_correlation(),
            parent: None,
        }
    }

    /// The same caller's next operation on an open socket, under a name of its own and in a trace of its own:
    /// a trace must not grow for as long as a socket is open.
    pub(crate) fn next_operation(&self) -> Self {
        Self { correlation: new_correlation(), parent: None, ..self.clone() }
    }
}

/// The address that the proxy before us added: the last one. Those before it are what the caller claims, and
/// some proxies add theirs in a header line of its own.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let line = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    let address = line.rsplit(',').next()?.trim();
    address.parse().or_else(|_| address.parse::<SocketAddr>().map(|with_port| with_port.ip())).ok()
}

fn new_correlation() -> Arc<str> {
    format!("{:016x}", rand::random::<u64>()).into()
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(USER_AGENT_BYTES_MAX)]
}

impl Language {
    /// The best of ours in an `Accept-Language` value; English when none is named (RFC 9110, 12.5.4).
    pub fn of_header(value: &str) -> Self {
        let mut best = (Self::En, 0.0_f32);
        for range in value.split(',') {
            let mut pieces = range.split(';');
            let Some(language) = pieces.next().and_then(|tag| Self::of_tag(tag.trim())) else { continue };
            let quality =
                pieces.find_map(|piece| piece.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            if quality > best.1 {
                best = (language, quality);
            }
        }
        best.0
    }

    /// The language of a tag such as `zh-Hans-CN`, if it is one of ours.
    pub fn of_tag(tag: &str) -> Option<Self> {
        match tag.split('-').next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::En),
            "zh" => Some(Self::Zh),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_address_is_the_last_that_a_proxy_added() {
        for (lines, address) in [
            (vec!["192.0.2.7"], Some("192.0.2.7")),
            (vec!["127.0.0.1, 192.0.2.7"], Some("192.0.2.7")),
            (vec!["127.0.0.1", "192.0.2.7"], Some("192.0.2.7")),
            (vec!["192.0.2.7:4711"], Some("192.0.2.7")),
            (vec!["2001:db8::1"], Some("2001:db8::1")),
            (vec!["[2001:db8::1]:4711"], Some("2001:db8::1")),
            (vec!["192.0.2.7, unknown"], None),
            (vec![], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in &lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            assert_eq!(forwarded_for(&headers), address.map(|text| text.parse().unwrap()), "{lines:?}");
        }
    }

    #[test]
    fn the_preferred_language_of_ours_wins() {
        for (header, language) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("en-US,zh;q=0.5", Language::En),
            ("fr, zh;q=0.3, en;q=0.2", Language::Zh),
            ("fr", Language::En),
            ("zh;q=0", Language::En),
            ("", Language::En),
        ] {
            assert_eq!(Language::of_header(header), language, "{header}");
        }
    }
}
