//! Whatever happened, in whatever batches and with whatever restarts: the live views, their rebuild and a
//! model in memory say the same.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod kit;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::account::Account;
use domain::actions::{ConfirmFriend, ErasePerson, RequestFriend};
use domain::{AccountId, ConversationId};
use eventlog::Outcome;
use kit::{House, batches_of, saying, talk};
use projections::{Views, catalogue, rebuild};
use proptest::prelude::*;
use proptest::sample::select;
use tokio::runtime::Runtime;

const PEOPLE: usize = 5;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// What one person does to another; much of it is refused.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Ask,
    Confirm,
    Say,
    /// The person is erased; the key is still there.
    Erase,
}

type Deeds = Vec<(Deed, usize, usize)>;

/// A projector's life: the size of its batches, and what happens meanwhile.
fn life() -> impl Strategy<Value = (u32, Deeds)> {
    let deed = prop_oneof![
        4 => Just(Deed::Ask),
        4 => Just(Deed::Confirm),
        12 => Just(Deed::Say),
        1 => Just(Deed::Erase),
    ];
    let deeds = proptest::collection::vec((deed, 0..PEOPLE, 1..PEOPLE), 0..60);
    (select(vec![1, 2, 7, 1_000]), deeds)
}

/// For each conversation: its length, and how far each has read.
type Model = BTreeMap<ConversationId, (u32, BTreeMap<AccountId, u32>)>;

async fn happens(house: &House, people: &[AccountId], deeds: &Deeds, model: &mut Model) {
    for (deed, who, distance) in deeds {
        let (who, whom) = (people[*who], people[(who + distance) % PEOPLE]);
        let outcome = match deed {
            Deed::Ask => house.tries(Some(who), RequestFriend::new(who, whom).unwrap()).await,
            Deed::Confirm => house.tries(Some(who), ConfirmFriend::new(who, whom).unwrap()).await,
            Deed::Say => house.tries(Some(who), saying(who, whom, "something")).await,
            Deed::Erase => {
                let account = house.log.inspect::<Account, _>(&who, Account::clone).await.unwrap();
                let Some(handle) = account.handle().cloned() else { continue };
                house.tries(Some(who), ErasePerson { account: who, handle }).await
            }
        };
        if let (Deed::Say, Outcome::Done(_)) = (deed, outcome) {
            let (length, read) = model.entry(talk(who, whom)).or_default();
            *length += 1;
            read.insert(who, *length);
        }
    }
}

async fn equals_the_model(views: &Views, people: &[AccountId], model: &Model) {
    for person in people {
        for row in views.conversations(*person, None, 100).await.unwrap() {
            let (length, read) = model.get(&row.conversation).cloned().unwrap_or_default();
            let read = read.get(person).copied().unwrap_or(0);
            assert_eq!((row.last_number.0, row.read_number.0, row.unread), (length, read, length - read));
        }
    }
}

async fn check(lives: Vec<(u32, Deeds)>) {
    let house = House::open().await;
    let mut people = vec![];
    for n in 0..PEOPLE {
        people.push(house.person(&format!("person{n}")).await);
    }
    let mut model = Model::new();
    for (batch, deeds) in lives {
        let running = house.projector(batches_of(batch)).await;
        happens(&house, &people, &deeds, &mut model).await;
        // Wherever it stands.
        running.stop().await;
    }
    let running = house.projector(batches_of(7)).await;
    house.settled(&running.views).await;
    equals_the_model(&running.views, &people, &model).await;
    house.proves_all_equal().await;
    for projection in catalogue() {
        rebuild(&house.log, projection.name(), &mut |_| {}).await.unwrap();
    }
    house.proves_all_equal().await;
    equals_the_model(&running.views, &people, &model).await;
    running.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn live_views_equal_their_rebuild_for_any_batches_and_restarts(
        lives in proptest::collection::vec(life(), 1..4)
    ) {
        RUNTIME.block_on(check(lives));
    }
}
