//! The printed schema, and what must hold of it.

use std::fs;
use std::path::Path;

use async_graphql::Positioned;
use async_graphql::parser::types::{
    InputValueDefinition, Selection, ServiceDocument, TypeKind, TypeSystemDefinition,
};
use async_graphql::parser::{parse_query, parse_schema};
use serde_json::{Value, json};

use crate::kit::TestApp;

#[test]
fn the_printed_schema_is_the_one_in_the_repository() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema.graphql");
    let printed = fs::read_to_string(path).unwrap();
    assert!(printed == api::graphql::sdl(), "schema.graphql is out of date: run `make schema`");
}

const INTROSPECTION: &str = "{ __schema {
    types { name kind description fields(includeDeprecated: true) { name description args { ...I } type { ...T } }
        inputFields { ...I } enumValues { name description } possibleTypes { name } }
    directives { name description args { ...I } } } }
    fragment I on __InputValue { name description type { ...T } }
    fragment T on __Type { name ofType { name ofType { name ofType { name } } } }";

/// Scalars of the specification itself.
const BUILT_IN: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];

/// Scalars of our own. There is none for whole numbers of 64 bits: they go as text.
const OWN: [&str; 3] = ["DateTime", "Position", "UUID"];

/// What is an `Int`, and why 32 bits are enough.
const SMALL: [(&str, &str); 7] = [
    ("first", "at most 100"),
    ("last", "at most 100"),
    ("number", "one conversation does not reach two thousand million messages"),
    ("lastNumber", "the same"),
    ("unreadCount", "the same"),
    ("times", "wrong passwords of a minute"),
    ("memberCount", "at most 10,000"),
];

async fn schema(app: &TestApp) -> Value {
    app.nobody().query(INTROSPECTION, json!({})).await["__schema"].clone()
}

/// The types of the schema but those of the specification.
async fn types(app: &TestApp) -> Vec<Value> {
    let ours = |kind: &Value| !kind["name"].as_str().unwrap().starts_with("__") && !is(kind, &BUILT_IN);
    schema(app).await["types"].as_array().unwrap().iter().filter(|kind| ours(kind)).cloned().collect()
}

fn is(named: &Value, names: &[&str]) -> bool {
    names.contains(&named["name"].as_str().unwrap())
}

fn list<'v>(value: &'v Value, of: &str) -> impl Iterator<Item = &'v Value> {
    value[of].as_array().into_iter().flatten()
}

/// The name of a type without its lists and exclamation marks.
fn named(mut of: &Value) -> &str {
    while of["name"].is_null() {
        of = &of["ofType"];
    }
    of["name"].as_str().unwrap()
}

/// Everything that a type or directive holds, with its path.
fn parts<'v>(holder: &'v Value) -> impl Iterator<Item = (String, &'v Value)> {
    let name = |of: &'v Value| of["name"].as_str().unwrap();
    let members = ["fields", "inputFields", "enumValues", "args"];
    members.into_iter().flat_map(move |of| list(holder, of)).flat_map(move |member| {
        let path = format!("{}.{}", name(holder), name(member));
        let arguments = list(member, "args").map({
            let path = path.clone();
            move |argument| (format!("{path}({})", name(argument)), argument)
        });
        std::iter::once((path, member)).chain(arguments)
    })
}

#[tokio::test]
async fn everything_in_the_schema_is_described() {
    let app = TestApp::start().await;
    let types = types(&app).await;
    let schema = schema(&app).await;
    let of_the_library = ["include", "skip", "specifiedBy", "oneOf", "deprecated"];
    let mut bare = Vec::new();
    for holder in types.iter().chain(list(&schema, "directives")) {
        let all = std::iter::once((holder["name"].as_str().unwrap().to_owned(), holder));
        // What the arguments of the specification's own directives mean is written there.
        let parts = parts(holder).filter(|_| !is(holder, &of_the_library));
        let described = |of: &Value| of["description"].as_str().is_some_and(|text| !text.trim().is_empty());
        bare.extend(all.chain(parts).filter(|(_, of)| !described(of)).map(|(path, _)| path));
    }
    assert!(bare.is_empty(), "without a description: {bare:#?}");
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn no_whole_number_needs_more_than_32_bits() {
    let app = TestApp::start().await;
    for kind in types(&app).await {
        assert!(kind["kind"] != "SCALAR" || is(&kind, &OWN), "a new scalar: {}", kind["name"]);
        for (path, part) in parts(&kind).filter(|(_, part)| !part["type"].is_null()) {
            let small = SMALL.iter().any(|(name, _)| part["name"] == **name);
            assert!(named(&part["type"]) != "Int" || small, "{path}: are 32 bits enough?");
        }
    }
    app.views_equal_their_rebuild().await;
}

/// What an update may be made of. A new type is added after a look at its fields: none may depend on who is looking.
const SAME_FOR_ALL: [&str; 3] = ["Message", "Person", "TextContent"];

#[tokio::test]
async fn nothing_in_an_update_depends_on_who_is_looking() {
    let app = TestApp::start().await;
    let types = types(&app).await;
    let (mut seen, mut next) = (vec![], vec!["Update"]);
    while let Some(name) = next.pop() {
        let Some(kind) = types.iter().find(|kind| kind["name"] == name) else { continue };
        if seen.contains(&name) {
            continue;
        }
        let same = kind["kind"] != "OBJECT" || name.ends_with("Update") || is(kind, &SAME_FOR_ALL);
        assert!(same, "{name} is part of an update");
        for (path, field) in parts(kind).filter(|(_, part)| !part["type"].is_null()) {
            assert!(
                field["args"].as_array().is_none_or(Vec::is_empty),
                "{path} cannot be rendered once for all"
            );
            next.push(named(&field["type"]));
        }
        next.extend(list(kind, "possibleTypes").map(|of| of["name"].as_str().unwrap()));
        seen.push(name);
    }
    assert!(SAME_FOR_ALL.iter().all(|name| seen.contains(name)), "{seen:?}");
    app.views_equal_their_rebuild().await;
}

/// The names of definitions in the order in which they stand, and what they belong to.
fn in_order(document: &ServiceDocument) -> Vec<(String, Vec<String>)> {
    let names = |of: &[Positioned<InputValueDefinition>]| {
        of.iter().map(|value| value.node.name.to_string()).collect()
    };
    let (mut all, mut kinds) = (vec![], vec![]);
    for definition in &document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let kind = definition.node.name.to_string();
        let fields = match &definition.node.kind {
            TypeKind::Object(object) => &object.fields[..],
            TypeKind::Interface(interface) => &interface.fields[..],
            TypeKind::InputObject(input) => {
                all.push((kind.clone(), names(&input.fields)));
                &[]
            }
            TypeKind::Enum(values) => {
                let values = values.values.iter().map(|value| value.node.value.to_string());
                all.push((kind.clone(), values.collect()));
                &[]
            }
            TypeKind::Scalar | TypeKind::Union(_) => &[],
        };
        all.push((kind.clone(), fields.iter().map(|field| field.node.name.to_string()).collect()));
        for field in fields {
            all.push((format!("{kind}.{}", field.node.name), names(&field.node.arguments)));
        }
        kinds.push(kind);
    }
    all.push(("the schema".to_owned(), kinds));
    all
}

#[test]
fn the_printed_schema_is_sorted() {
    let all = in_order(&parse_schema(api::graphql::sdl()).unwrap());
    assert!(all.len() > 100, "{all:?}");
    for (of, names) in all {
        assert!(names.is_sorted(), "{of}: {names:?}");
    }
}

#[tokio::test]
async fn there_is_an_example_operation_for_everything_that_can_be_asked_and_done() {
    let app = TestApp::start().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/operations");
    let texts = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let asked: Vec<_> = texts
        .flat_map(|text| {
            parse_query(text).unwrap().operations.iter().map(|(_, asks)| asks.clone()).collect::<Vec<_>>()
        })
        .flat_map(|asks| asks.node.selection_set.node.items)
        .filter_map(|selection| match selection.node {
            Selection::Field(field) => Some(field.node.name.node.to_string()),
            _ => None,
        })
        .collect();
    for kind in types(&app).await.iter().filter(|kind| is(kind, &["Query", "Mutation", "Subscription"])) {
        for field in list(kind, "fields") {
            assert!(
                asked.iter().any(|name| field["name"] == **name),
                "no operation asks for {}",
                field["name"]
            );
        }
    }
    app.views_equal_their_rebuild().await;
}
