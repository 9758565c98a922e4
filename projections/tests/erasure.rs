//! A person is erased: what the event leaves in the views is what a rebuild makes of the log, before the key is
//! destroyed and after.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod kit;

use domain::account::Account;
use domain::actions::{ConfirmErasure, ErasePerson};
use domain::{AccountId, ConversationId};
use kit::{House, batches_of};
use projections::{Order, TimelinePage, Views, catalogue, rebuild};

const ALL: TimelinePage = TimelinePage { before: None, after: None, limit: 100, order: Order::OldestFirst };

async fn erases(house: &House, account: AccountId) {
    let handle = house.log.inspect::<Account, _>(&account, |a| a.handle().cloned()).await.unwrap().unwrap();
    house.acts(None, ErasePerson { account, handle }).await;
}

async fn texts(views: &Views, conversation: ConversationId) -> Vec<Option<String>> {
    views.timeline(conversation, ALL).await.unwrap().into_iter().map(|row| row.text).collect()
}

async fn name(views: &Views, account: AccountId) -> Option<String> {
    views.people(&[account]).await.unwrap().remove(0).user_name
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| (*text != "-").then(|| (*text).to_owned())).collect()
}

/// Rows of any view that show a text.
async fn found(house: &House, marker: &str) -> i64 {
    let mut found = 0;
    for table in catalogue().iter().flat_map(|projection| projection.tables()) {
        let sql = format!("SELECT count(*) FROM views.{table} AS t WHERE t::text LIKE '%' || $1 || '%'");
        found += sqlx::query_scalar::<_, i64>(&sql).bind(marker).fetch_one(&house.pool()).await.unwrap();
    }
    found
}

/// The views are equal to the log, and stay what they are when they are built again.
async fn the_same_after_a_rebuild(house: &House) {
    house.proves_all_equal().await;
    for projection in catalogue() {
        rebuild(&house.log, projection.name(), &mut |_| {}).await.unwrap();
    }
    house.proves_all_equal().await;
}

async fn erasing_with_batches_of(size: u32) {
    let house = House::open().await;
    let running = house.projector(batches_of(size)).await;
    let views = &running.views;
    let (ann, bob) = (house.person("annmarker").await, house.person("robert01").await);
    let conversation = house.befriends(ann, bob).await;
    for (sender, to, text) in [(ann, bob, "marker one"), (bob, ann, "from bob"), (ann, bob, "marker two")] {
        house.says(sender, to, text).await;
    }
    house.settled(views).await;
    assert_eq!(found(&house, "marker").await, 3, "the search finds what is there");
    the_same_after_a_rebuild(&house).await;

    erases(&house, ann).await;
    // Decided before the erasure and committed behind it.
    house.says(ann, bob, "marker three").await;
    house.says(bob, ann, "bob again").await;
    let left = some(&["-", "from bob", "-", "-", "bob again"]);
    for key_destroyed in [false, true] {
        if key_destroyed {
            house.log.destroy_account_key(ann).await.unwrap();
            house.acts(None, ConfirmErasure { account: ann }).await;
        }
        house.settled(views).await;
        assert_eq!(texts(views, conversation).await, left);
        assert_eq!((name(views, ann).await, name(views, bob).await), (None, Some("robert01".into())));
        the_same_after_a_rebuild(&house).await;
        assert_eq!(texts(views, conversation).await, left);
        assert_eq!((name(views, ann).await, name(views, bob).await), (None, Some("robert01".into())));
        assert_eq!(found(&house, "marker").await, 0);
    }
    // Somebody else under the same name is somebody else.
    let other = house.person("annmarker").await;
    house.settled(views).await;
    assert_eq!((name(views, ann).await, name(views, other).await), (None, Some("annmarker".into())));
    the_same_after_a_rebuild(&house).await;
    running.stop().await;
}

#[tokio::test]
async fn live_views_equal_their_rebuild_before_between_and_after() {
    for size in [1, 2, 1_000] {
        erasing_with_batches_of(size).await;
    }
}

#[tokio::test]
async fn a_view_that_is_built_when_all_is_over_never_holds_the_text() {
    let house = House::open().await;
    let (ann, bob) = (house.person("annmarker").await, house.person("robert01").await);
    let conversation = house.befriends(ann, bob).await;
    house.says(ann, bob, "marker one").await;
    erases(&house, ann).await;
    house.log.destroy_account_key(ann).await.unwrap();
    let running = house.projector(batches_of(1_000)).await;
    house.settled(&running.views).await;
    assert_eq!(texts(&running.views, conversation).await, [None]);
    assert_eq!(found(&house, "marker").await, 0);
    the_same_after_a_rebuild(&house).await;
    running.stop().await;
}
