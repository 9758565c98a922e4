//! `people_1`: who is this account?

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::account::{Account, AccountEvent};
use domain::{AccountId, Event, Position, Recorded};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Views;
use crate::error::ProjectionError;
use crate::projection::{Projection, text_of};

/// A person as others see them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// The account.
    pub account: AccountId,
    /// The position of the registration: the account's number in the original client's protocol.
    pub position: Position,
    /// The user name as typed; none when it was erased.
    pub user_name: Option<String>,
    /// When the person joined.
    pub registered_at: DateTime<Utc>,
}

/// The fold of `people_1`.
pub(crate) struct People;

#[async_trait]
impl Projection for People {
    fn name(&self) -> &'static str {
        "people_1"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["people_1"]
    }

    fn create_sql(&self) -> &'static str {
        "CREATE TABLE people_1 (
             account       uuid        NOT NULL PRIMARY KEY,
             position      bigint      NOT NULL UNIQUE,
             user_name     text,
             registered_at timestamptz NOT NULL
         )"
    }

    async fn apply(&self, connection: &mut PgConnection, batch: &[Recorded]) -> Result<(), ProjectionError> {
        let Changes { joined, erased } = changes(batch)?;
        if !joined.is_empty() {
            write_joined(connection, &joined).await?;
        }
        if !erased.is_empty() {
            write_erased(connection, &erased).await?;
        }
        Ok(())
    }
}

async fn write_joined(connection: &mut PgConnection, joined: &[Person]) -> Result<(), ProjectionError> {
    sqlx::query(
        "INSERT INTO people_1 (account, position, user_name, registered_at)
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[])",
    )
    .bind(joined.iter().map(|row| row.account.0).collect::<Vec<_>>())
    .bind(joined.iter().map(|row| row.position.0).collect::<Vec<_>>())
    .bind(joined.iter().map(|row| row.user_name.as_deref()).collect::<Vec<_>>())
    .bind(joined.iter().map(|row| row.registered_at).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Leaves of them what their registration leaves once their key is destroyed.
async fn write_erased(connection: &mut PgConnection, erased: &[AccountId]) -> Result<(), ProjectionError> {
    sqlx::query("UPDATE people_1 SET user_name = NULL WHERE account = ANY($1)")
        .bind(erased.iter().map(|account| account.0).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// What a batch changes. An account is erased after it was registered, so writing in this order is right.
#[derive(Default)]
struct Changes {
    joined: Vec<Person>,
    erased: Vec<AccountId>,
}

fn changes(batch: &[Recorded]) -> Result<Changes, ProjectionError> {
    let mut changes = Changes::default();
    for recorded in batch {
        let account = || recorded.stream.id::<Account>().ok_or(ProjectionError::Damaged(recorded.position));
        match &recorded.event {
            Event::Account(AccountEvent::AccountRegistered { handle: _, user_name }) => {
                changes.joined.push(Person {
                    account: account()?,
                    position: recorded.position,
                    user_name: text_of(user_name, recorded.position)?.map(str::to_owned),
                    registered_at: recorded.recorded_at,
                });
            }
            Event::Account(AccountEvent::PersonalDataErased {}) => changes.erased.push(account()?),
            Event::Account(
                AccountEvent::SignedIn { .. }
                | AccountEvent::SignInRefused { .. }
                | AccountEvent::SignedOut { .. }
                | AccountEvent::ErasureConfirmed {},
            )
            | Event::Handle(_)
            | Event::Friendship(_)
            | Event::Contacts(_)
            | Event::Conversation(_) => {}
        }
    }
    Ok(changes)
}

#[derive(sqlx::FromRow)]
struct PersonRow {
    account: Uuid,
    position: i64,
    user_name: Option<String>,
    registered_at: DateTime<Utc>,
}

impl From<PersonRow> for Person {
    fn from(row: PersonRow) -> Self {
        Self {
            account: AccountId(row.account),
            position: Position(row.position),
            user_name: row.user_name,
            registered_at: row.registered_at,
        }
    }
}

impl Views {
    /// Those of these accounts that exist, in no particular order. One probe of the primary key each.
    ///
    /// # Errors
    /// [`ProjectionError::Database`]: the query failed; retry.
    pub async fn people(&self, accounts: &[AccountId]) -> Result<Vec<Person>, ProjectionError> {
        let rows: Vec<PersonRow> = sqlx::query_as(
            "SELECT account, position, user_name, registered_at FROM views.people_1 WHERE account = ANY($1)",
        )
        .bind(accounts.iter().map(|account| account.0).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Person::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use domain::Personal;
    use domain::values::UserName;

    use super::*;
    use crate::projection::fixture::{account, in_account, registered};

    #[test]
    fn registering_makes_a_person_and_signing_out_does_not() {
        let batch = [registered(1, 7, Personal::Open(UserName::parse("alice01").unwrap()))];
        let people = changes(&batch).unwrap().joined;
        assert_eq!(people[0].account, account(7));
        assert_eq!(people[0].user_name.as_deref(), Some("alice01"));
        let signed_out = AccountEvent::SignedOut { session: domain::SessionId(Uuid::from_u128(1)) };
        assert_eq!(changes(&[in_account(2, 7, signed_out)]).unwrap().joined, []);
    }

    #[test]
    fn an_erased_name_is_null_and_a_sealed_one_an_error() {
        assert_eq!(changes(&[registered(1, 7, Personal::Erased)]).unwrap().joined[0].user_name, None);
        let sealed = Personal::Sealed(domain::Sealed("abc".into()));
        assert!(matches!(changes(&[registered(1, 7, sealed)]), Err(ProjectionError::Damaged(Position(1)))));
    }
}
