//! A person's account: registered once, signed in on many devices.

mod decide;
mod error;
mod event;
mod state;

pub use decide::{AccountCommand, Device, PasswordCheck};
pub use error::AccountError;
pub use event::AccountEvent;
pub use state::{Account, SESSIONS_PER_ACCOUNT_MAX};
