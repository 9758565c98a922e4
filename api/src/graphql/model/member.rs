//! Somebody in a conversation.

use async_graphql::{Enum, SimpleObject};
use domain::conversation::Role;

use super::Person;
use crate::graphql::connection::connection;
use crate::graphql::scalars::DateTime;

/// Somebody who is in a conversation.
#[derive(SimpleObject, Clone)]
pub struct Member {
    /// Who it is.
    pub person: Person,
    /// What the member is in it.
    pub role: MemberRole,
    /// Since when.
    pub joined_at: DateTime,
}

impl From<projections::MemberRow> for Member {
    fn from(row: projections::MemberRow) -> Self {
        Self { person: Person(row.account), role: row.role.into(), joined_at: row.joined_at.into() }
    }
}

/// What a member is in a conversation.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum MemberRole {
    /// Takes part; both members of a private conversation.
    Member,
    /// Lets people in, puts plain members out, and names the group.
    Manager,
    /// Decides about roles and the end of the group too.
    Owner,
}

impl From<Role> for MemberRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Member => Self::Member,
            Role::Manager => Self::Manager,
            Role::Owner => Self::Owner,
        }
    }
}

connection!(MemberConnection, MemberEdge, Member);
