//! Groups: making them, coming and going, roles, and their end.

use serde_json::{Value, json};

use crate::kit::{Actor, TestApp, codes};

const GROUP: &str = "conversation { id kind name memberCount viewerRole owner { userName }
    members { nodes { role joinedAt person { userName } } } }";

/// A group of the first person and friends, who all are the first one's.
async fn group(app: &TestApp, names: [&str; 3]) -> ([Actor; 3], String) {
    let (ann, bob, cat) = tokio::join!(app.person(names[0]), app.person(names[1]), app.person(names[2]));
    ann.befriends(&bob).await;
    ann.befriends(&cat).await;
    let input = json!({ "name": "周末爬山", "personIds": [bob.id, cat.id] });
    let made = ann.mutate("createGroup", input, GROUP).await;
    let group = made["conversation"]["id"].as_str().unwrap().to_owned();
    ([ann, bob, cat], group)
}

/// Names and roles of a group's members, in the order in which they joined.
async fn members(who: &Actor, group: &str) -> Vec<(String, String)> {
    let query = "query ($id: ID!, $after: String) { node(id: $id) { ... on Conversation {
        members(first: 2, after: $after) { nodes { role person { userName } } pageInfo { hasNextPage endCursor } } } } }";
    let (mut all, mut after) = (vec![], Value::Null);
    loop {
        let data = who.query(query, json!({ "id": group, "after": after })).await;
        let page = &data["node"]["members"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let nodes = page["nodes"].as_array().unwrap().iter();
        all.extend(nodes.map(|node| (text(&node["person"]["userName"]), text(&node["role"]))));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
    }
}

fn named(names: &[(&str, &str)]) -> Vec<(String, String)> {
    names.iter().map(|(name, role)| ((*name).to_owned(), (*role).to_owned())).collect()
}

async fn node(who: &Actor, id: &str) -> Value {
    who.query("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await["node"].clone()
}

#[tokio::test]
async fn a_group_is_made_of_friends_and_used_by_its_members_alone() {
    let app = TestApp::start().await;
    let (ann, bob, cat, eve) = tokio::join!(
        app.person("alice01"),
        app.person("robert01"),
        app.person("catherine01"),
        app.person("evelyn01")
    );
    ann.befriends(&bob).await;
    ann.befriends(&cat).await;
    let mut bobs_updates = bob.updates(Some("0")).await;
    let key = "6f1c7c52-1f8e-4f5e-9a70-0c5d3a0e9b11";
    let input = json!({ "name": "周末爬山 🏔", "personIds": [bob.id, cat.id, bob.id], "idempotencyKey": key });
    let made = ann.mutate("createGroup", input.clone(), GROUP).await;
    assert_eq!(made, ann.mutate("createGroup", input, GROUP).await, "the same key makes one group");
    let shown = &made["conversation"];
    assert_eq!((&shown["kind"], &shown["name"]), (&json!("GROUP"), &json!("周末爬山 🏔")));
    assert_eq!((&shown["memberCount"], &shown["viewerRole"]), (&json!(3), &json!("OWNER")));
    assert_eq!(shown["owner"]["userName"], "alice01");
    let group = shown["id"].as_str().unwrap();
    let joined = bobs_updates.next_of("MemberJoinedUpdate").await;
    assert_eq!(
        (&joined["event"]["conversationId"], &joined["event"]["member"]["id"]),
        (&json!(group), &json!(bob.id))
    );
    let cats = bobs_updates.next_of("MemberJoinedUpdate").await;
    assert_eq!(cats["event"]["member"]["userName"], "catherine01");

    ann.sends(group, "明天见").await;
    cat.sends(group, "好的").await;
    for text in ["明天见", "好的"] {
        let heard = bobs_updates.next_of("MessageSentUpdate").await;
        assert_eq!(heard["event"]["message"]["content"]["text"], text);
    }
    assert_eq!(bob.texts(group).await, ["明天见", "好的"]);
    let all = named(&[("alice01", "OWNER"), ("robert01", "MEMBER"), ("catherine01", "MEMBER")]);
    assert_eq!(members(&bob, group).await, all);
    let list = "{ viewer { unreadCount conversations { nodes { name unreadCount memberCount
        members(first: 1) { nodes { person { userName } } } } } } }";
    let bobs = bob.query(list, json!({})).await["viewer"].clone();
    assert_eq!(
        (&bobs["unreadCount"], &bobs["conversations"]["nodes"][0]["unreadCount"]),
        (&json!(2), &json!(2))
    );

    assert_eq!(node(&eve, group).await, Value::Null);
    let send = json!({ "conversationId": group, "content": { "text": "let me in" } });
    assert_eq!(codes(&eve.attempt("sendMessage", send, "").await), ["NOT_FOUND"]);
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn who_joins_sees_what_is_said_from_then_on_and_who_leaves_nothing() {
    let app = TestApp::start().await;
    let ([ann, bob, _], group) = group(&app, ["alice01", "robert01", "catherine01"]).await;
    let dan = app.person("daniel01").await;
    ann.befriends(&dan).await;
    let before = ann.sends(&group, "before").await;
    let mut dans_updates = dan.updates_from_here().await;
    let mut bobs_updates = bob.updates_from_here().await;
    let add = json!({ "conversationId": group, "personIds": [dan.id] });
    let added = ann.mutate("addGroupMembers", add.clone(), "conversation { memberCount }").await;
    assert_eq!(added["conversation"]["memberCount"], 4);
    let again = ann.mutate("addGroupMembers", add.clone(), "conversation { memberCount }").await;
    assert_eq!(again["conversation"]["memberCount"], 4, "who is in already stays");
    for updates in [&mut dans_updates, &mut bobs_updates] {
        let joined = updates.next_of("MemberJoinedUpdate").await;
        assert_eq!(joined["position"], added["position"]);
        assert_eq!(joined["event"]["by"]["id"], ann.id.as_str());
    }
    let after = bob.sends(&group, "after").await;
    let heard = dans_updates.next_of("MessageSentUpdate").await;
    assert_eq!(heard["event"]["message"]["id"], after["id"]);
    assert_eq!(dan.texts(&group).await, ["after"]);
    assert_eq!(bob.texts(&group).await, ["before", "after"]);
    assert_eq!(node(&dan, before["id"].as_str().unwrap()).await, Value::Null);

    let left = dan.mutate("leaveGroup", json!({ "conversationId": group }), "").await;
    for updates in [&mut dans_updates, &mut bobs_updates] {
        let heard = updates.next_of("MemberLeftUpdate").await;
        assert_eq!(
            (&heard["position"], &heard["event"]["member"]["id"]),
            (&left["position"], &json!(dan.id))
        );
    }
    let last = ann.sends(&group, "without dan").await;
    assert_eq!(bobs_updates.next().await["event"]["message"]["id"], last["id"]);
    for id in [&group, after["id"].as_str().unwrap()] {
        assert_eq!(node(&dan, id).await, Value::Null);
    }
    assert_eq!(
        codes(&dan.attempt("leaveGroup", json!({ "conversationId": group }), "").await),
        ["NOT_FOUND"]
    );

    // A device that was away learns that the membership ended, and nothing that was said.
    let mut caught_up = dan.updates(Some(added["position"].as_str().unwrap())).await;
    assert_eq!(caught_up.next().await["event"]["__typename"], "MemberLeftUpdate");
    app.person("frank001").await.befriends(&dan).await;
    for updates in [&mut dans_updates, &mut caught_up] {
        assert_eq!(updates.next().await["event"]["__typename"], "FriendRequestedUpdate");
    }

    ann.mutate("addGroupMembers", add, "").await;
    assert_eq!(dan.texts(&group).await, Vec::<String>::new());
    bob.sends(&group, "welcome back").await;
    assert_eq!(dan.texts(&group).await, ["welcome back"]);
    let heard = dans_updates.next_of("MessageSentUpdate").await;
    assert_eq!(heard["event"]["message"]["content"]["text"], "welcome back");
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn roles_are_given_and_taken_and_members_put_out() {
    let app = TestApp::start().await;
    let ([ann, bob, cat], group) = group(&app, ["alice01", "robert01", "catherine01"]).await;
    let mut cats_updates = cat.updates_from_here().await;
    let who = |person: &Actor| json!({ "conversationId": group, "personId": person.id });
    let role = "conversation { viewerRole owner { userName } }";

    ann.mutate("appointManager", who(&bob), role).await;
    let heard = cats_updates.next_of("ManagerAppointedUpdate").await;
    assert_eq!(
        (&heard["event"]["member"]["id"], &heard["event"]["by"]["id"]),
        (&json!(bob.id), &json!(ann.id))
    );
    assert_eq!(codes(&bob.attempt("removeGroupMember", who(&ann), "").await), ["OUTRANKED"]);
    ann.mutate("dismissManager", who(&bob), role).await;
    assert_eq!(
        cats_updates.next_of("ManagerDismissedUpdate").await["event"]["member"]["id"],
        bob.id.as_str()
    );
    assert_eq!(codes(&bob.attempt("removeGroupMember", who(&cat), "").await), ["MANAGERS_ONLY"]);

    let handed_over = ann.mutate("transferOwnership", who(&bob), role).await;
    assert_eq!(
        handed_over["conversation"],
        json!({ "viewerRole": "MEMBER", "owner": { "userName": "robert01" } })
    );
    let heard = cats_updates.next_of("OwnershipTransferredUpdate").await;
    assert_eq!(
        (&heard["event"]["from"]["id"], &heard["event"]["to"]["id"]),
        (&json!(ann.id), &json!(bob.id))
    );
    bob.mutate("appointManager", who(&ann), role).await;
    let all = [("alice01", "MANAGER"), ("robert01", "OWNER"), ("catherine01", "MEMBER")];
    assert_eq!(members(&cat, &group).await, named(&all));

    let removed = ann.mutate("removeGroupMember", who(&cat), "conversation { memberCount }").await;
    assert_eq!(removed["conversation"]["memberCount"], 2);
    let heard = cats_updates.next_of("MemberRemovedUpdate").await;
    assert_eq!((&heard["position"], &heard["event"]["by"]["id"]), (&removed["position"], &json!(ann.id)));
    bob.sends(&group, "cat is gone").await;
    assert_eq!(node(&cat, &group).await, Value::Null);
    app.person("frank001").await.befriends(&cat).await;
    assert_eq!(cats_updates.next().await["event"]["__typename"], "FriendRequestedUpdate");
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_group_is_renamed_and_dissolved() {
    let app = TestApp::start().await;
    let ([ann, bob, cat], group) = group(&app, ["alice01", "robert01", "catherine01"]).await;
    let mut bobs_updates = bob.updates_from_here().await;
    let rename = json!({ "conversationId": group, "name": "登山队" });
    let renamed = ann.mutate("renameGroup", rename.clone(), "conversation { name }").await;
    assert_eq!(renamed["conversation"]["name"], "登山队");
    let heard = bobs_updates.next_of("GroupRenamedUpdate").await;
    assert_eq!((&heard["event"]["name"], &heard["event"]["by"]["id"]), (&json!("登山队"), &json!(ann.id)));
    assert_eq!(codes(&bob.attempt("renameGroup", rename, "").await), ["MANAGERS_ONLY"]);

    let ended = ann.mutate("dissolveGroup", json!({ "conversationId": group }), "").await;
    let heard = bobs_updates.next_of("GroupDissolvedUpdate").await;
    assert_eq!((&heard["position"], &heard["event"]["conversationId"]), (&ended["position"], &json!(group)));
    let again = ann.mutate("dissolveGroup", json!({ "conversationId": group }), "").await;
    assert_eq!(again["position"], ended["position"], "ending it twice adds nothing");
    for who in [&ann, &bob, &cat] {
        assert_eq!(node(who, &group).await, Value::Null);
        let send = json!({ "conversationId": group, "content": { "text": "anybody?" } });
        assert_eq!(codes(&who.attempt("sendMessage", send, "").await), ["NOT_FOUND"]);
    }
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn each_rule_of_groups_is_refused_with_its_code_and_field() {
    let app = TestApp::start().await;
    let ([ann, bob, cat], group) = group(&app, ["alice01", "robert01", "catherine01"]).await;
    let eve = app.person("evelyn01").await;
    let private = bob.befriends(&cat).await;
    let (in_group, nowhere) = (json!(group), json!("bm90aGluZw"));
    let many = vec![bob.id.clone(); 101];
    for (who, mutation, input, code, field) in [
        (&ann, "createGroup", json!({ "name": " ", "personIds": [] }), "BLANK", "name"),
        (&ann, "createGroup", json!({ "name": "字".repeat(51), "personIds": [] }), "TOO_LONG", "name"),
        (&ann, "createGroup", json!({ "name": "us", "personIds": [eve.id] }), "NOT_A_FRIEND", "personIds"),
        (&ann, "createGroup", json!({ "name": "us", "personIds": ["x"] }), "NOT_FOUND", "personIds"),
        (&ann, "createGroup", json!({ "name": "us", "personIds": many }), "TOO_MANY_AT_ONCE", "personIds"),
        (
            &ann,
            "addGroupMembers",
            json!({ "conversationId": in_group, "personIds": [eve.id] }),
            "NOT_A_FRIEND",
            "personIds",
        ),
        (
            &bob,
            "addGroupMembers",
            json!({ "conversationId": in_group, "personIds": [cat.id] }),
            "MANAGERS_ONLY",
            "conversationId",
        ),
        (
            &eve,
            "addGroupMembers",
            json!({ "conversationId": in_group, "personIds": [eve.id] }),
            "NOT_FOUND",
            "conversationId",
        ),
        (&ann, "leaveGroup", json!({ "conversationId": in_group }), "OWNER_CANNOT_LEAVE", "conversationId"),
        (&ann, "leaveGroup", json!({ "conversationId": nowhere }), "NOT_FOUND", "conversationId"),
        (&bob, "leaveGroup", json!({ "conversationId": private }), "NOT_A_GROUP", "conversationId"),
        (
            &ann,
            "removeGroupMember",
            json!({ "conversationId": in_group, "personId": ann.id }),
            "OUTRANKED",
            "personId",
        ),
        (
            &ann,
            "removeGroupMember",
            json!({ "conversationId": in_group, "personId": "x" }),
            "NOT_FOUND",
            "personId",
        ),
        (
            &bob,
            "appointManager",
            json!({ "conversationId": in_group, "personId": cat.id }),
            "OWNER_ONLY",
            "conversationId",
        ),
        (
            &ann,
            "appointManager",
            json!({ "conversationId": in_group, "personId": eve.id }),
            "NOT_A_MEMBER",
            "personId",
        ),
        (
            &ann,
            "appointManager",
            json!({ "conversationId": in_group, "personId": ann.id }),
            "IS_OWNER",
            "personId",
        ),
        (
            &bob,
            "dismissManager",
            json!({ "conversationId": in_group, "personId": cat.id }),
            "OWNER_ONLY",
            "conversationId",
        ),
        (
            &bob,
            "transferOwnership",
            json!({ "conversationId": in_group, "personId": cat.id }),
            "OWNER_ONLY",
            "conversationId",
        ),
        (
            &ann,
            "transferOwnership",
            json!({ "conversationId": in_group, "personId": eve.id }),
            "NOT_A_MEMBER",
            "personId",
        ),
        (&ann, "renameGroup", json!({ "conversationId": in_group, "name": "" }), "BLANK", "name"),
        (&bob, "dissolveGroup", json!({ "conversationId": in_group }), "OWNER_ONLY", "conversationId"),
    ] {
        let refused = who.attempt(mutation, input.clone(), "").await;
        assert_eq!(codes(&refused), [code], "{mutation} {input}");
        assert_eq!(refused["userErrors"][0]["path"], json!(["input", field]), "{mutation} {input}");
    }
    app.views_equal_their_rebuild().await;
}
