//! The contract with the crates we stand on: what we wrote, they read, and their framework runs here.

#![allow(clippy::unwrap_used)]

mod kit;

use std::collections::HashMap;

use cqrs_es::persist::PersistedEventRepository as _;
use cqrs_es::{AggregateError, CqrsFramework, EventStore as _};
use domain::contacts::{Contacts, ContactsCommand};
use domain::conversation::{Conversation, ConversationEvent};
use domain::{AccountId, Actor, Decider as _};
use eventlog::CqrsStore;
use eventlog::fresh::new_uuid;
use kit::{context, friends, node, send, start};
use postgres_es::PostgresEventRepository;

#[tokio::test]
async fn postgres_es_reads_the_streams_we_write() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    for n in 0..5 {
        send(&test.log, ann, conversation, &n.to_string()).await;
    }
    let repository = PostgresEventRepository::new(test.database.pool());
    let events = repository.get_events::<Conversation>(&conversation.to_string()).await.unwrap();
    assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    let mut state = Conversation::default();
    for event in events {
        let event: ConversationEvent = serde_json::from_value(event.payload).unwrap();
        state.evolve(&event);
    }
    let live = test.log.inspect::<Conversation, _>(&conversation, Clone::clone).await.unwrap();
    assert_eq!(state, live);
}

#[tokio::test]
async fn the_framework_of_cqrs_es_runs_on_our_log() {
    let test = start().await;
    let (owner, friend) = (AccountId(new_uuid()), AccountId(new_uuid()));
    let store = CqrsStore::<Contacts>::new(test.log.clone(), context(Actor::Account(owner)));
    let framework = CqrsFramework::new(store, vec![], ());
    let file = ContactsCommand::File { friend };
    framework.execute(&owner.to_string(), file).await.unwrap();
    framework.execute(&owner.to_string(), file).await.unwrap();
    let store = CqrsStore::<Contacts>::new(test.log.clone(), context(Actor::Account(owner)));
    assert_eq!(store.load_events(&owner.to_string()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_framework_loads_streams_with_sealed_fields() {
    let test = start().await;
    let (ann, bob, conversation) = friends(&test.log, "alice01", "robert01").await;
    send(&test.log, ann, conversation, "sealed").await;
    let store = CqrsStore::<Conversation>::new(test.log.clone(), context(Actor::Account(bob)));
    let framework = CqrsFramework::new(store, vec![], ());
    let again = kit::message(bob, conversation, "through the framework");
    let command = domain::conversation::ConversationCommand::Send { sender: bob, content: again.content };
    framework.execute(&conversation.to_string(), command).await.unwrap();
    let live = test.log.inspect::<Conversation, _>(&conversation, Clone::clone).await.unwrap();
    assert!(matches!(live, Conversation::Private { last, .. } if last.0 == 2));
}

#[tokio::test]
async fn a_stale_commit_of_the_framework_is_a_conflict_and_stores_nothing() {
    let test = start().await;
    let owner = AccountId(new_uuid());
    let id = owner.to_string();
    let (other, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    let [one, two] = [&test.log, &other]
        .map(|log| CqrsStore::<Contacts>::new(log.clone(), context(Actor::Account(owner))));
    let (first, second) = (one.load_aggregate(&id).await.unwrap(), two.load_aggregate(&id).await.unwrap());
    let filed = |n| {
        vec![domain::contacts::ContactsEvent::FriendFiled { friend: AccountId(uuid::Uuid::from_u128(n)) }]
    };
    one.commit(filed(1), first, HashMap::new()).await.unwrap();
    let refused = two.commit(filed(2), second, HashMap::new()).await;
    assert!(matches!(refused, Err(AggregateError::AggregateConflict)));
    assert_eq!(one.load_events(&id).await.unwrap().len(), 1);
}
