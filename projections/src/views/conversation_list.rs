//! `conversation_list_2`: which conversations is somebody in, which is the newest, what is unread, and who
//! else is there? The tables and their fold.
//!
//! Invariant: a message costs one update of its conversation and one of its sender's membership, however
//! many members there are. Unread is the difference of two numbers and stored nowhere.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::conversation::{Conversation, ConversationEvent, ConversationKind, Role};
use domain::{AccountId, ConversationId, Event, MessageNumber, Position, Recorded};
use sqlx::PgConnection;

use super::conversation_writes as write;
use crate::error::ProjectionError;
use crate::projection::{Projection, text_of};

/// The fold of `conversations_2` and `members_2`.
pub(crate) struct ConversationList;

/// Somebody in a conversation.
pub(super) type Member = (ConversationId, AccountId);

/// What a batch makes of conversations.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) started: Vec<Started>,
    /// The newest name of each group that was renamed; none when it was erased.
    pub(super) names: BTreeMap<ConversationId, Option<String>>,
    pub(super) owners: BTreeMap<ConversationId, AccountId>,
    /// How many members more there are, or fewer.
    pub(super) sizes: BTreeMap<ConversationId, i64>,
    /// The newest joining of each; what follows in the other maps came after it.
    pub(super) joined: BTreeMap<Member, Joined>,
    pub(super) roles: BTreeMap<Member, Role>,
    pub(super) left: BTreeMap<Member, Position>,
    pub(super) dissolved: BTreeMap<ConversationId, Position>,
    /// The newest message of each conversation.
    pub(super) newest: BTreeMap<ConversationId, (MessageNumber, Position, DateTime<Utc>)>,
    /// How far members have read: who sends has read up to there.
    pub(super) read: BTreeMap<Member, MessageNumber>,
}

pub(super) struct Started {
    pub(super) conversation: ConversationId,
    pub(super) position: Position,
    pub(super) kind: &'static str,
    pub(super) name: Option<String>,
    pub(super) owner: Option<AccountId>,
    pub(super) at: DateTime<Utc>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Joined {
    pub(super) position: Position,
    pub(super) at: DateTime<Utc>,
    pub(super) role: Role,
    /// The member sees the messages after this one.
    pub(super) after: MessageNumber,
}

#[async_trait]
impl Projection for ConversationList {
    fn name(&self) -> &'static str {
        "conversation_list_2"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["conversations_2", "members_2"]
    }

    /// No index holds what a message changes, so that its updates stay in their pages (HOT). Lists are
    /// sorted when read: as many probes as the reader has conversations.
    fn create_sql(&self) -> &'static str {
        "CREATE TABLE conversations_2 (
             conversation  uuid        NOT NULL PRIMARY KEY,
             position      bigint      NOT NULL UNIQUE,
             kind          text        NOT NULL CHECK (kind IN ('private', 'group')),
             name          text,
             owner         uuid,
             member_count  bigint      NOT NULL,
             started_at    timestamptz NOT NULL,
             last_number   bigint      NOT NULL,
             last_position bigint      NOT NULL,
             last_at       timestamptz NOT NULL
         ) WITH (fillfactor = 80);
         CREATE TABLE members_2 (
             conversation    uuid        NOT NULL,
             account         uuid        NOT NULL,
             role            text        NOT NULL CHECK (role IN ('member', 'manager', 'owner')),
             joined_position bigint      NOT NULL,
             joined_at       timestamptz NOT NULL,
             joined_number   bigint      NOT NULL,
             left_position   bigint,
             read_number     bigint      NOT NULL,
             PRIMARY KEY (conversation, account)
         ) WITH (fillfactor = 80);
         CREATE INDEX members_2_account ON members_2 (account);
         CREATE INDEX members_2_present ON members_2 (conversation, joined_position)
             WHERE left_position IS NULL"
    }

    async fn apply(&self, connection: &mut PgConnection, batch: &[Recorded]) -> Result<(), ProjectionError> {
        let changes = changes(batch)?;
        write::conversations(connection, &changes).await?;
        write::members(connection, &changes).await?;
        if !changes.newest.is_empty() {
            write::newest(connection, &changes.newest).await?;
            write::read(connection, &changes.read).await?;
        }
        Ok(())
    }
}

/// Folds a batch: of all messages of a conversation only the newest leaves a trace, of all that happened to
/// a member only what came of it.
fn changes(batch: &[Recorded]) -> Result<Changes, ProjectionError> {
    let mut changes = Changes::default();
    for recorded in batch {
        match &recorded.event {
            Event::Conversation(event) => changes.take_in(recorded, event)?,
            Event::Account(_) | Event::Handle(_) | Event::Friendship(_) | Event::Contacts(_) => {}
        }
    }
    Ok(changes)
}

impl Changes {
    fn take_in(&mut self, recorded: &Recorded, event: &ConversationEvent) -> Result<(), ProjectionError> {
        let (position, at) = (recorded.position, recorded.recorded_at);
        let conversation =
            recorded.stream.id::<Conversation>().ok_or(ProjectionError::Damaged(recorded.position))?;
        let joined = |role, after| Joined { position, at, role, after };
        match event {
            ConversationEvent::ConversationStarted { kind } => {
                let (kind, name, owner, members) = match kind {
                    ConversationKind::Private { members } => ("private", None, None, members.to_vec()),
                    ConversationKind::Group { name, owner } => {
                        ("group", text_of(name, position)?.map(str::to_owned), Some(*owner), vec![*owner])
                    }
                };
                let role = if owner.is_some() { Role::Owner } else { Role::Member };
                self.started.push(Started { conversation, position, kind, name, owner, at });
                for member in members {
                    self.joins((conversation, member), joined(role, MessageNumber::default()));
                }
            }
            ConversationEvent::MessageSent { number, sender, content: _ } => {
                self.newest.insert(conversation, (*number, position, at));
                self.read.insert((conversation, *sender), *number);
            }
            ConversationEvent::MemberJoined { member, by: _, after } => {
                self.joins((conversation, *member), joined(Role::Member, *after));
            }
            ConversationEvent::MemberLeft { member } | ConversationEvent::MemberRemoved { member, by: _ } => {
                self.left.insert((conversation, *member), position);
                *self.sizes.entry(conversation).or_default() -= 1;
            }
            ConversationEvent::ManagerAppointed { member, by: _ } => {
                self.roles.insert((conversation, *member), Role::Manager);
            }
            ConversationEvent::ManagerDismissed { member, by: _ } => {
                self.roles.insert((conversation, *member), Role::Member);
            }
            ConversationEvent::OwnershipTransferred { from, to } => {
                self.roles.insert((conversation, *from), Role::Member);
                self.roles.insert((conversation, *to), Role::Owner);
                self.owners.insert(conversation, *to);
            }
            ConversationEvent::ConversationRenamed { name, by: _ } => {
                self.names.insert(conversation, text_of(name, position)?.map(str::to_owned));
            }
            ConversationEvent::ConversationDissolved { by: _ } => {
                self.dissolved.insert(conversation, position);
            }
        }
        Ok(())
    }

    /// Begins a membership anew: what was before it no longer matters.
    fn joins(&mut self, member: Member, joined: Joined) {
        *self.sizes.entry(member.0).or_default() += 1;
        self.roles.remove(&member);
        self.left.remove(&member);
        self.joined.insert(member, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::fixture::{account, conversation, group, in_group, noon, sent, started};

    #[test]
    fn a_hundred_messages_are_one_conversation_and_one_row_per_sender() {
        let mut batch = vec![started(1, 7, 8)];
        batch.extend((1..=100).map(|n| sent(1 + i64::from(n), 7, 8, n, if n % 2 == 0 { 7 } else { 8 })));
        let changes = changes(&batch).unwrap();
        let id = conversation(7, 8);
        assert_eq!(changes.newest[&id], (MessageNumber(100), Position(101), noon()));
        assert_eq!(
            changes.read,
            [((id, account(7)), MessageNumber(100)), ((id, account(8)), MessageNumber(99))].into()
        );
        assert_eq!((changes.started.len(), changes.joined.len()), (1, 2));
    }

    #[test]
    fn who_comes_back_begins_anew_as_a_plain_member() {
        let (member, by) = (account(8), account(7));
        let joined = |after| ConversationEvent::MemberJoined { member, by, after: MessageNumber(after) };
        let changes = changes(&[
            in_group(1, ConversationEvent::ConversationStarted { kind: group(7) }),
            in_group(2, joined(0)),
            in_group(3, ConversationEvent::ManagerAppointed { member, by }),
            in_group(4, ConversationEvent::MemberLeft { member }),
            in_group(5, joined(6)),
        ])
        .unwrap();
        let who = *changes.joined.keys().find(|(_, account)| *account == member).unwrap();
        let expected =
            Joined { position: Position(5), at: noon(), role: Role::Member, after: MessageNumber(6) };
        assert_eq!(changes.joined[&who], expected);
        assert!(changes.left.is_empty() && changes.roles.is_empty());
        assert_eq!(changes.sizes[&who.0], 2);
    }
}
