//! What people see in the views after acting through commands.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod kit;

use std::time::Duration;

use domain::{MessageNumber, Pair, Position};
use kit::{House, batches_of, talk};
use projections::{Direction, Order, RequestState, TimelinePage, Waited};

#[tokio::test]
async fn a_request_is_seen_from_both_ends_until_and_after_it_is_confirmed() {
    let house = House::open().await;
    let running = house.projector(batches_of(1_000)).await;
    let views = &running.views;
    let (ann, bob) = (house.person("ann001").await, house.person("bob001").await);
    let position = house.asks(ann, bob).await;
    house.settled(views).await;
    let sent = views.friend_requests(ann, Direction::Sent, None, 10).await.unwrap();
    assert_eq!(sent, views.friend_requests(bob, Direction::Received, None, 10).await.unwrap());
    assert_eq!((sent[0].from, sent[0].to, sent[0].position), (ann, bob, position));
    assert_eq!((sent[0].state, sent[0].answered), (RequestState::Open, None));
    assert_eq!(views.friend(ann, bob).await.unwrap(), None);

    house.confirms(bob, ann).await;
    house.settled(views).await;
    let request = views.friend_request(Pair::of(ann, bob).unwrap()).await.unwrap().unwrap();
    assert_eq!((request.state, request.answered.unwrap().0), (RequestState::Confirmed, position.next()));
    assert_eq!(views.friend_requests_by_position(&[position]).await.unwrap(), [request]);
    let friend = views.friend(bob, ann).await.unwrap().unwrap();
    assert_eq!((friend.since_position, friend.conversation), (position.next(), talk(ann, bob)));
    running.stop().await;
}

#[tokio::test]
async fn friends_come_newest_first_and_page_by_page_without_gap_or_double() {
    let house = House::open().await;
    let running = house.projector(batches_of(1_000)).await;
    let views = &running.views;
    let ann = house.person("ann001").await;
    let mut friends = vec![];
    for n in 0..5 {
        let friend = house.person(&format!("friend{n}")).await;
        house.befriends(ann, friend).await;
        friends.insert(0, friend);
    }
    house.settled(views).await;
    let (mut seen, mut after) = (vec![], None);
    while let page = views.friends(ann, after, 2).await.unwrap()
        && !page.is_empty()
    {
        after = page.last().map(|friend| friend.since_position);
        seen.extend(page.into_iter().map(|friend| friend.friend));
    }
    assert_eq!(seen, friends);
    let names = views.people(&friends).await.unwrap();
    assert_eq!(names.len(), 5);
    assert!(names.iter().all(|person| person.user_name.as_ref().unwrap().starts_with("friend")));
    running.stop().await;
}

#[tokio::test]
async fn unread_counts_what_others_said_since_one_last_spoke() {
    let house = House::open().await;
    let running = house.projector(batches_of(1_000)).await;
    let views = &running.views;
    let (ann, bob, cat) =
        (house.person("ann001").await, house.person("bob001").await, house.person("cat001").await);
    let with_bob = house.befriends(ann, bob).await;
    let with_cat = house.befriends(ann, cat).await;
    for text in ["one", "two", "three"] {
        house.says(bob, ann, text).await;
    }
    house.says(ann, bob, "four").await;
    let fifth = house.says(bob, ann, "five").await;
    house.settled(views).await;

    let list = views.conversations(ann, None, 10).await.unwrap();
    assert_eq!(list.iter().map(|row| row.conversation).collect::<Vec<_>>(), [with_bob, with_cat]);
    assert_eq!((list[0].last_number, list[0].last_position), (MessageNumber(5), fifth));
    assert_eq!((list[0].read_number, list[0].unread), (MessageNumber(4), 1));
    assert_eq!(list[0].members, Pair::of(ann, bob).unwrap().members());
    assert_eq!((list[1].last_number, list[1].last_position), (MessageNumber(0), list[1].position));
    assert_eq!(views.conversations(ann, Some(fifth), 10).await.unwrap(), list[1..]);
    assert_eq!(views.unread_total(ann).await.unwrap(), 1);
    assert_eq!(views.unread_total(bob).await.unwrap(), 0);

    assert_eq!(views.conversation(ann, list[0].position).await.unwrap().as_ref(), Some(&list[0]));
    assert_eq!(views.conversation(cat, list[0].position).await.unwrap(), None, "not a member");
    assert_eq!(views.conversations_by_id(cat, &[with_bob, with_cat]).await.unwrap().len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_timeline_is_read_from_either_end_between_bounds() {
    let house = House::open().await;
    let running = house.projector(batches_of(3)).await;
    let views = &running.views;
    let (ann, bob) = (house.person("ann001").await, house.person("bob001").await);
    let conversation = house.befriends(ann, bob).await;
    let mut positions = vec![];
    for n in 1..=6 {
        positions.push(house.says(ann, bob, &format!("text {n}")).await);
    }
    house.settled(views).await;
    let read = async |before: Option<u32>, after: Option<u32>, order| {
        let page = TimelinePage {
            before: before.map(MessageNumber),
            after: after.map(MessageNumber),
            limit: 2,
            order,
        };
        let messages = views.timeline(conversation, page).await.unwrap();
        messages.into_iter().map(|message| message.number.0).collect::<Vec<_>>()
    };
    assert_eq!(read(None, None, Order::NewestFirst).await, [6, 5]);
    assert_eq!(read(Some(5), None, Order::NewestFirst).await, [4, 3]);
    assert_eq!(read(None, None, Order::OldestFirst).await, [1, 2]);
    assert_eq!(read(None, Some(5), Order::OldestFirst).await, [6]);
    assert_eq!(read(Some(4), Some(2), Order::NewestFirst).await, [3]);

    let message = views.message(positions[2]).await.unwrap().unwrap();
    assert_eq!((message.sender, message.text.as_deref()), (ann, Some("text 3")));
    assert!(!format!("{message:?}").contains("text 3"), "no personal text in debug output");
    assert_eq!(views.messages(&[positions[0], Position(1)]).await.unwrap().len(), 1);
    let last = views.last_messages(&[conversation]).await.unwrap();
    assert_eq!(last.iter().map(|message| message.number.0).collect::<Vec<_>>(), [6]);
    running.stop().await;
}

#[tokio::test]
async fn the_streams_of_a_person_hold_all_that_concerns_the_person_and_nothing_else() {
    let house = House::open().await;
    let running = house.projector(batches_of(1_000)).await;
    let (ann, bob, cat) =
        (house.person("ann001").await, house.person("bob001").await, house.person("cat001").await);
    house.befriends(ann, bob).await;
    house.befriends(bob, cat).await;
    house.says(bob, cat, "not for ann").await;
    house.says(bob, ann, "for ann").await;
    house.settled(&running.views).await;
    let parts = running.views.streams_of(ann).await.unwrap();
    let types: Vec<_> = parts.iter().map(|part| part.stream.aggregate_type).collect();
    assert_eq!(types, ["account", "contacts", "conversation", "friendship"]);
    let head = house.log.head().await.unwrap();
    let seen = house.log.read_streams(&parts, Position::START, head, 100).await.unwrap();
    let names: Vec<_> = seen.iter().map(|recorded| recorded.event.event_type()).collect();
    assert_eq!(
        names,
        [
            "AccountRegistered",
            "FriendRequested",
            "FriendRequestConfirmed",
            "FriendFiled",
            "ConversationStarted",
            "MessageSent"
        ]
    );
    running.stop().await;
}

#[tokio::test]
async fn waiting_for_what_does_not_come_ends_in_time() {
    let house = House::open().await;
    let running = house.projector(batches_of(1_000)).await;
    let far = Position(1_000);
    assert_eq!(running.views.wait_for(far, Duration::from_millis(50)).await, Waited::TimedOut);
    running.stop().await;
}
