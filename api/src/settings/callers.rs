//! How much one caller may ask.

use std::time::Duration;

use chrono::TimeDelta;
use clap::Args;
use eventlog::{Allowance, Lockout};

use crate::accounts::RefusedLimits;
use crate::limits::{CallLimits, Rate, TryLimits};

/// How long a wrong password counts after the end of its wait.
const REMEMBERED: TimeDelta = TimeDelta::hours(1);

/// Accounts whose refused sign-ins are gathered at the same time.
const REFUSED_ACCOUNTS_MAX: usize = 10_000;

/// Limits of one account and of one address. Callers from this machine itself (loopback) are not limited by
/// address: behind a proxy set `--trust-forwarded-for`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits of one caller")]
pub struct LimitSettings {
    /// Operations of one account per minute, for each process; 0 for no limit.
    #[arg(long, env = "ANNAL_ACCOUNT_REQUESTS_PER_MINUTE", default_value_t = 1_200)]
    pub account_requests_per_minute: u32,

    /// Operations of one account at once, after a pause.
    #[arg(long, env = "ANNAL_ACCOUNT_REQUESTS_AT_ONCE", default_value_t = 300,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub account_requests_at_once: u32,

    /// Requests, operations on sockets and socket openings of one address per minute, for each process; 0
    /// for no limit. An IPv6 address stands for its /64 network, and callers on this machine itself are not
    /// counted by address, here and below.
    #[arg(long, env = "ANNAL_ADDRESS_REQUESTS_PER_MINUTE", default_value_t = 6_000)]
    pub address_requests_per_minute: u32,

    /// The same of one address at once, after a pause.
    #[arg(long, env = "ANNAL_ADDRESS_REQUESTS_AT_ONCE", default_value_t = 1_500,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub address_requests_at_once: u32,

    /// Open sockets of one account, for each process; 0 for no limit.
    #[arg(long, env = "ANNAL_SOCKETS_PER_ACCOUNT_MAX", default_value_t = 100)]
    pub sockets_per_account_max: u32,

    /// Open sockets of one address, for each process; 0 for no limit.
    #[arg(long, env = "ANNAL_SOCKETS_PER_ADDRESS_MAX", default_value_t = 1_000)]
    pub sockets_per_address_max: u32,

    /// Callers whose rates are kept in memory: so many accounts, and as many addresses.
    #[arg(long, env = "ANNAL_CALLERS_REMEMBERED_MAX", default_value_t = 100_000)]
    pub callers_remembered_max: usize,

    /// Wrong passwords of one account in a row before it has to wait.
    #[arg(long, env = "ANNAL_PASSWORD_TRIES_FREE", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub password_tries_free: u32,

    /// The first wait, in seconds; it doubles with each further wrong password.
    #[arg(long, env = "ANNAL_PASSWORD_WAIT_FIRST_S", default_value_t = 5)]
    pub password_wait_first_s: u32,

    /// The longest wait, in seconds; 0 for none. An hour after its end everything is forgotten.
    #[arg(long, env = "ANNAL_PASSWORD_WAIT_MAX_S", default_value_t = 900)]
    pub password_wait_max_s: u32,

    /// Wrong passwords from one address per hour, over all accounts.
    #[arg(long, env = "ANNAL_ADDRESS_PASSWORD_TRIES_PER_HOUR", default_value_t = 60,
          value_parser = clap::value_parser!(u32).range(1..=3_600_000))]
    pub address_password_tries_per_hour: u32,

    /// Wrong passwords from one address at once, after a pause.
    #[arg(long, env = "ANNAL_ADDRESS_PASSWORD_TRIES_AT_ONCE", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub address_password_tries_at_once: u32,

    /// The shortest time between two notices of wrong passwords to their account, for each process, in
    /// seconds. The first wrong one is told at once, later ones together.
    #[arg(long, env = "ANNAL_REFUSED_SIGN_INS_WINDOW_S", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub refused_sign_ins_window_s: u64,

    /// Registrations from one address per hour, refused ones included.
    #[arg(long, env = "ANNAL_ADDRESS_REGISTRATIONS_PER_HOUR", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..=3_600_000))]
    pub address_registrations_per_hour: u32,

    /// Registrations from one address at once, after a pause.
    #[arg(long, env = "ANNAL_ADDRESS_REGISTRATIONS_AT_ONCE", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub address_registrations_at_once: u32,
}

impl LimitSettings {
    /// Limits of requests and sockets.
    pub fn calls(&self) -> CallLimits {
        CallLimits {
            account: Rate {
                per_minute: self.account_requests_per_minute,
                at_once: self.account_requests_at_once,
            },
            address: Rate {
                per_minute: self.address_requests_per_minute,
                at_once: self.address_requests_at_once,
            },
            sockets_per_account_max: self.sockets_per_account_max,
            sockets_per_address_max: self.sockets_per_address_max,
            callers_remembered_max: self.callers_remembered_max,
        }
    }

    /// How refused sign-ins are gathered.
    pub fn refused_sign_ins(&self) -> RefusedLimits {
        let window = Duration::from_secs(self.refused_sign_ins_window_s);
        RefusedLimits { window, accounts_max: REFUSED_ACCOUNTS_MAX }
    }

    /// Limits of tries with a password and of registrations.
    pub fn tries(&self) -> TryLimits {
        TryLimits {
            account: Lockout {
                free: self.password_tries_free,
                wait_first: TimeDelta::seconds(i64::from(self.password_wait_first_s)),
                wait_max: TimeDelta::seconds(i64::from(self.password_wait_max_s)),
                remembered: REMEMBERED,
            },
            address: Allowance {
                at_once: self.address_password_tries_at_once,
                per_hour: self.address_password_tries_per_hour,
            },
            registrations: Allowance {
                at_once: self.address_registrations_at_once,
                per_hour: self.address_registrations_per_hour,
            },
        }
    }
}
