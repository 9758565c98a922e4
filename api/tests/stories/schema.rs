//! The printed schema, and what must hold of it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::kit::TestApp;

#[test]
fn the_printed_schema_is_the_one_in_the_repository() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema.graphql");
    let printed = fs::read_to_string(path).unwrap();
    assert!(printed == api::graphql::sdl(), "schema.graphql is out of date: run `make schema`");
}

const INTROSPECTION: &str = "{ __schema { types { name kind description
    fields(includeDeprecated: true) { name description args { name description } type { ...T } }
    inputFields { name description } enumValues { name description } possibleTypes { name } } } }
    fragment T on __Type { name ofType { name ofType { name ofType { name } } } }";

/// Scalars of the specification itself.
const BUILT_IN: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];

async fn types(app: &TestApp) -> Vec<Value> {
    let schema = app.nobody().query(INTROSPECTION, json!({})).await;
    let types = schema["__schema"]["types"].as_array().unwrap().clone();
    let ours = |name: &str| !name.starts_with("__") && !BUILT_IN.contains(&name);
    types.into_iter().filter(|kind| ours(kind["name"].as_str().unwrap())).collect()
}

fn list<'v>(value: &'v Value, of: &str) -> impl Iterator<Item = &'v Value> {
    value[of].as_array().into_iter().flatten()
}

#[tokio::test]
async fn everything_in_the_schema_is_described() {
    let app = TestApp::start().await;
    let mut bare = Vec::new();
    for kind in types(&app).await {
        let name = kind["name"].as_str().unwrap();
        let mut check = |path: String, described: &Value| {
            if described["description"].as_str().is_none_or(str::is_empty) {
                bare.push(path);
            }
        };
        check(name.to_owned(), &kind);
        for of in ["fields", "inputFields", "enumValues"] {
            for item in list(&kind, of) {
                let path = format!("{name}.{}", item["name"].as_str().unwrap());
                check(path.clone(), item);
                for argument in list(item, "args") {
                    check(format!("{path}({})", argument["name"].as_str().unwrap()), argument);
                }
            }
        }
    }
    assert!(bare.is_empty(), "without a description: {bare:#?}");
    app.views_equal_their_rebuild().await;
}

/// Fields whose value depends on who is looking.
const VIEWER_DEPENDENT: [&str; 3] = ["unreadCount", "timeline", "lastMessage"];

#[tokio::test]
async fn nothing_in_an_update_depends_on_who_is_looking() {
    let app = TestApp::start().await;
    let types = types(&app).await;
    let find = |name: &str| types.iter().find(|kind| kind["name"] == name);
    let (mut seen, mut next) = (vec![], vec!["Update".to_owned()]);
    while let Some(name) = next.pop() {
        if seen.contains(&name) {
            continue;
        }
        let Some(kind) = find(&name) else { continue };
        for field in list(kind, "fields") {
            let field_name = field["name"].as_str().unwrap();
            assert!(!VIEWER_DEPENDENT.contains(&field_name), "{name}.{field_name}");
            let mut of = &field["type"];
            while of["name"].is_null() {
                of = &of["ofType"];
            }
            next.push(of["name"].as_str().unwrap().to_owned());
        }
        next.extend(list(kind, "possibleTypes").map(|of| of["name"].as_str().unwrap().to_owned()));
        seen.push(name);
    }
    assert!(seen.contains(&"Message".to_owned()) && !seen.contains(&"Viewer".to_owned()));
    app.views_equal_their_rebuild().await;
}
