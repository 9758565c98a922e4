//! Groups in the views: who is in them, who sees what, and what a message costs.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod kit;

use std::sync::LazyLock;

use domain::actions::{
    AddMembers, AppointManager, DismissManager, DissolveGroup, LeaveGroup, RemoveMember, RenameGroup,
    TransferOwnership,
};
use domain::conversation::{Conversation, Role};
use domain::values::GroupName;
use domain::{AccountId, ConversationId, MessageNumber, Position};
use kit::{House, batches_of, saying_in};
use projections::{MemberPage, Views, catalogue, rebuild};
use proptest::prelude::*;
use proptest::sample::select;
use tokio::runtime::Runtime;

/// People of whom the first is everybody's friend.
async fn friends(house: &House, count: usize) -> Vec<AccountId> {
    let mut people = vec![house.person("owner1").await];
    for n in 1..count {
        people.push(house.person(&format!("friend{n}")).await);
        house.befriends(people[0], people[n]).await;
    }
    people
}

async fn members(
    views: &Views,
    group: ConversationId,
    after: Position,
    limit: u32,
) -> Vec<(AccountId, Role)> {
    let page = MemberPage { conversation: group, after, limit };
    let pages = views.members(&[page, MemberPage { limit: 1, ..page }]).await.unwrap();
    assert_eq!(pages[1], pages[0][..1.min(pages[0].len())], "two pages at once");
    pages[0].iter().map(|member| (member.account, member.role)).collect()
}

#[tokio::test]
async fn a_member_sees_a_group_from_the_newest_joining_on_and_a_former_member_nothing() {
    let house = House::open().await;
    let running = house.projector(batches_of(1_000)).await;
    let views = &running.views;
    let people = friends(&house, 4).await;
    let [ann, bob, cat, dan] = people[..] else { unreachable!() };
    let group = house.founds(ann, &[bob, cat]).await;
    house.says_in(group, ann, "one").await;
    let joined = house.admits(ann, group, &[dan]).await;
    house.says_in(group, bob, "two").await;
    house.settled(views).await;

    let row = async |who| views.conversations_by_id(who, &[group]).await.unwrap().pop();
    let seen = row(dan).await.unwrap();
    assert_eq!((seen.name.as_deref(), seen.owner, seen.member_count), (Some("周末爬山"), Some(ann), 4));
    assert_eq!((seen.role, seen.joined_number, seen.unread), (Role::Member, MessageNumber(1), 1));
    assert_eq!((row(cat).await.unwrap().unread, row(bob).await.unwrap().unread), (2, 0));
    assert!(!format!("{seen:?}").contains("周末"), "no personal text in debug output");
    assert_eq!(
        members(views, group, Position::START, 10).await,
        [(ann, Role::Owner), (bob, Role::Member), (cat, Role::Member), (dan, Role::Member)]
    );
    assert_eq!(members(views, group, Position(joined.0 - 1), 10).await, [(dan, Role::Member)]);

    house.acts(Some(dan), LeaveGroup { conversation: group, by: dan }).await;
    house.says_in(group, bob, "three").await;
    house.settled(views).await;
    assert_eq!(row(dan).await, None);
    let seen_by = async |who| {
        let parts = views.streams_of(who).await.unwrap();
        let parts: Vec<_> =
            parts.into_iter().filter(|part| part.stream.id::<Conversation>() == Some(group)).collect();
        let head = house.log.head().await.unwrap();
        let seen = house.log.read_streams(&parts, Position::START, head, 100).await.unwrap();
        seen.iter().map(|recorded| recorded.event.event_type()).collect::<Vec<_>>()
    };
    assert_eq!(seen_by(dan).await, ["MemberLeft"]);

    house.admits(ann, group, &[dan]).await;
    house.says_in(group, cat, "four").await;
    house.settled(views).await;
    assert_eq!(seen_by(dan).await, ["MemberJoined", "MessageSent"]);
    assert_eq!(row(dan).await.unwrap().unread, 1);

    house.acts(Some(ann), DissolveGroup { conversation: group, by: ann }).await;
    house.settled(views).await;
    for who in people {
        assert_eq!(row(who).await, None);
        assert_eq!(seen_by(who).await, ["ConversationDissolved"]);
        assert_eq!(views.unread_total(who).await.unwrap(), 0);
    }
    house.proves_all_equal().await;
    running.stop().await;
}

/// Rows of all views that were written by transactions from this one on.
async fn rows_written_since(house: &House, transaction: i64) -> i64 {
    let mut rows = 0;
    for table in catalogue().iter().flat_map(|projection| projection.tables()) {
        let count = format!("SELECT count(*) FROM views.{table} WHERE xmin::text::bigint >= $1");
        let written: i64 =
            sqlx::query_scalar(&count).bind(transaction).fetch_one(&house.pool()).await.unwrap();
        rows += written;
    }
    rows
}

#[tokio::test]
async fn a_message_to_many_writes_as_many_rows_as_one_to_two() {
    let house = House::open().await;
    let running = house.projector(batches_of(1_000)).await;
    let people = friends(&house, 60).await;
    let pair = kit::talk(people[0], people[1]);
    let group = house.founds(people[0], &people[1..]).await;
    house.settled(&running.views).await;
    let mut rows = vec![];
    for conversation in [pair, group] {
        let now = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
        let transaction = sqlx::query_scalar(now).fetch_one(&house.pool()).await.unwrap();
        house.says_in(conversation, people[0], "hello").await;
        house.settled(&running.views).await;
        rows.push(rows_written_since(&house, transaction).await);
    }
    // The message, its conversation, and how far the sender has read.
    assert_eq!(rows, [3, 3]);
    running.stop().await;
}

const PEOPLE: usize = 4;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// What one person does in a group, perhaps to another; much of it is refused.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Say,
    Admit,
    Leave,
    Remove,
    Appoint,
    Dismiss,
    HandOver,
    Rename,
    Dissolve,
}

type Deeds = Vec<(Deed, usize, usize)>;

fn life() -> impl Strategy<Value = (u32, Deeds)> {
    use Deed::*;
    let deed = prop_oneof![
        8 => Just(Say),
        5 => Just(Admit),
        9 => select(vec![Leave, Remove, Appoint, Dismiss, HandOver, Rename]),
        1 => Just(Dissolve),
    ];
    let deeds = proptest::collection::vec((deed, 0..PEOPLE, 0..PEOPLE), 0..50);
    (select(vec![1, 3, 1_000]), deeds)
}

async fn happens(house: &House, conversation: ConversationId, people: &[AccountId], deeds: &Deeds) {
    for (deed, who, whom) in deeds {
        let (by, member) = (people[*who], people[*whom]);
        let who = Some(by);
        // Whether it was refused does not matter: the log says what happened.
        match deed {
            Deed::Say => house.tries(who, saying_in(conversation, by, "something")).await,
            Deed::Admit => house.tries(who, AddMembers { conversation, by, members: vec![member] }).await,
            Deed::Leave => house.tries(who, LeaveGroup { conversation, by }).await,
            Deed::Remove => house.tries(who, RemoveMember { conversation, by, member }).await,
            Deed::Appoint => house.tries(who, AppointManager { conversation, by, member }).await,
            Deed::Dismiss => house.tries(who, DismissManager { conversation, by, member }).await,
            Deed::HandOver => house.tries(who, TransferOwnership { conversation, by, to: member }).await,
            Deed::Rename => {
                let name = GroupName::parse(format!("group {whom}")).unwrap();
                house.tries(who, RenameGroup { conversation, by, name }).await
            }
            Deed::Dissolve => house.tries(who, DissolveGroup { conversation, by }).await,
        };
    }
}

/// The view of a group says what the state that decides says.
async fn equals_the_state(house: &House, views: &Views, group: ConversationId, people: &[AccountId]) {
    let state = house.log.inspect::<Conversation, _>(&group, Conversation::clone).await.unwrap();
    let shown = members(views, group, Position::START, 100).await;
    let mut size = 0;
    for person in people {
        let role = if let Conversation::Group(group) = &state { group.role(*person) } else { None };
        let row = views.conversations_by_id(*person, &[group]).await.unwrap().pop();
        assert_eq!(row.as_ref().map(|row| row.role), role);
        assert_eq!(shown.iter().find(|(who, _)| who == person).map(|(_, role)| *role), role);
        if let (Some(row), Conversation::Group(group)) = (row, &state) {
            assert_eq!((row.member_count as usize, row.last_number), (group.size(), group.last()));
            assert_eq!(row.owner.and_then(|owner| group.role(owner)), Some(Role::Owner));
            assert!(row.joined_number <= row.read_number);
            size += 1;
        }
    }
    assert_eq!(shown.len(), size);
}

async fn check(lives: Vec<(u32, Deeds)>) {
    let house = House::open().await;
    let people = friends(&house, PEOPLE).await;
    let group = house.founds(people[0], &people[1..3]).await;
    for (batch, deeds) in lives {
        let running = house.projector(batches_of(batch)).await;
        happens(&house, group, &people, &deeds).await;
        // Wherever it stands.
        running.stop().await;
    }
    let running = house.projector(batches_of(7)).await;
    house.settled(&running.views).await;
    equals_the_state(&house, &running.views, group, &people).await;
    house.proves_all_equal().await;
    for projection in catalogue() {
        rebuild(&house.log, projection.name(), &mut |_| {}).await.unwrap();
    }
    equals_the_state(&house, &running.views, group, &people).await;
    running.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn the_views_of_a_group_equal_their_rebuild_and_its_state(
        lives in proptest::collection::vec(life(), 1..4)
    ) {
        RUNTIME.block_on(check(lives));
    }
}
