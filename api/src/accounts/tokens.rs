//! Session tokens: 256 random bits in base64url; only their SHA-256 is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::SessionId;
use domain::account::Device;
use domain::actions::NewSession;
use domain::credential::TokenHash;
use domain::values::{DeviceName, NetworkAddress};
use eventlog::fresh::{new_uuid, random_bytes};
use sha2::{Digest as _, Sha256};

use crate::transport::RequestInfo;

/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;

/// A token as its bearer holds it. A secret: it has no `Debug` and is shown once.
pub struct Token(String);

impl Token {
    fn generate() -> Self {
        Self(URL_SAFE_NO_PAD.encode(random_bytes::<TOKEN_BYTES>()))
    }

    /// Takes what a caller shows; none when it cannot be a token, so that nobody looks it up.
    pub fn shown(text: String) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(&text).ok()?;
        (bytes.len() == TOKEN_BYTES).then_some(Self(text))
    }

    /// What is stored of it. No slow hash is needed: nobody guesses 256 bits.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The text for its bearer.
    pub fn into_text(self) -> String {
        self.0
    }
}

/// A session to begin for the device behind a request, with the token for it.
pub fn new_session(info: &RequestInfo, now: DateTime<Utc>, lifetime: TimeDelta) -> (NewSession, Token) {
    let token = Token::generate();
    let device = Device {
        session: SessionId(new_uuid()),
        name: DeviceName::lenient(info.user_agent.as_deref().unwrap_or_default()),
        address: NetworkAddress::from(info.peer.map(|peer| peer.to_string()).unwrap_or_default()),
    };
    (NewSession { device, token: token.hash(), expires_at: now + lifetime }, token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_form() {
        assert!(Token::shown(Token::generate().into_text()).is_some());
        for text in ["", "x", &"A".repeat(42), &"A".repeat(44), &"=".repeat(43), &"\u{e9}".repeat(43)] {
            assert!(Token::shown(text.to_owned()).is_none(), "{text}");
        }
    }
}
