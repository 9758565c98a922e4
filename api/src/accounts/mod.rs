//! Who somebody is: passwords, tokens, and the callers behind them.

mod identity;
mod passwords;
mod refused;
mod tokens;

pub use identity::{Caller, Sessions};
pub use passwords::{PasswordError, PasswordLimits, Passwords};
pub use refused::{RefusedLimits, RefusedSignIns, RefusedTask};
pub use tokens::{Token, new_session};
