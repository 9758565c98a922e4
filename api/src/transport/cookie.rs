//! The session cookie: one name and one set of attributes, wherever it is set or taken away.

/// How browsers keep a session.
///
/// Scripts cannot read it (`HttpOnly`), pages of other sites do not send it with their requests
/// (`SameSite=Lax`), and it goes to this host alone (no `Domain`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SessionCookie {
    secure: bool,
}

impl SessionCookie {
    /// For HTTPS only, or also for plain HTTP.
    pub fn new(secure: bool) -> Self {
        Self { secure }
    }

    /// `__Host-annal_session` over HTTPS: browsers take that name from this host only, over HTTPS only, so
    /// that no sibling host and no plain connection can plant a session. Else `annal_session`.
    pub fn name(self) -> &'static str {
        if self.secure { "__Host-annal_session" } else { "annal_session" }
    }

    /// The value of `Set-Cookie` that keeps a token for so many seconds.
    pub fn holding(self, token: &str, seconds: i64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}", self.name())
    }

    /// The value of `Set-Cookie` that takes it away.
    pub fn forgotten(self) -> String {
        self.holding("", 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_https_the_cookie_is_of_this_host_alone() {
        let kept = "__Host-annal_session=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure";
        assert_eq!(SessionCookie::new(true).holding("abc", 60), kept);
        let gone = "annal_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0";
        assert_eq!(SessionCookie::default().forgotten(), gone);
    }
}
