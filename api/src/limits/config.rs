//! Every limit of one caller, with its unit and its default.

use eventlog::{Allowance, Lockout};

/// How often something may happen: so many at once, then so many per minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// In the long run, per minute; 0 means without limit.
    pub per_minute: u32,
    /// At once, after a pause; at least 1.
    pub at_once: u32,
}

/// Limits of requests and sockets, for each process.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    /// Operations of one account, over HTTP and sockets. Default 1,200 per minute, 300 at once.
    pub account: Rate,
    /// Requests, operations on sockets and socket openings of one address. Default 6,000 per minute, 1,500
    /// at once: whole offices share an address.
    pub address: Rate,
    /// Open sockets of one account; 0 means without limit. Default 100.
    pub sockets_per_account_max: u32,
    /// Open sockets of one address; 0 means without limit. Default 1,000.
    pub sockets_per_address_max: u32,
    /// Accounts, and as many addresses, whose rates are remembered; one more forgets one that was
    /// quiet. Default 100,000 (about 30 MB when full).
    pub callers_remembered_max: usize,
}

/// Limits of tries with a secret and of registrations, over all processes.
#[derive(Clone, Copy, Debug)]
pub struct TryLimits {
    /// Wrong passwords of one account (or of a name that nobody holds). Default: 5 for nothing, then a wait
    /// of 5 seconds that doubles up to 15 minutes; forgotten an hour after the end of the wait.
    pub account: Lockout,
    /// Wrong passwords from one address, over all accounts. Default: 30 at once, 60 per hour.
    pub address: Allowance,
    /// Registrations from one address, refused ones included. Default: 20 at once, 20 per hour.
    pub registrations: Allowance,
}
