//! What decides whether two subscriptions get the same payloads.

use async_graphql::parser::types::{ExecutableDocument, Field, OperationType, Selection};
use async_graphql::{PathSegment, Pos, Positioned, Request, ServerError, Variables};

use super::Audience;
use crate::transport::request_info::Language;

/// The argument of a root field from which a stream goes on; it chooses events and changes none.
const RESUME_ARGUMENT: &str = "after";

/// Two subscriptions of equal keys get the same payloads.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct PlanKey {
    source: String,
    operation_name: Option<String>,
    /// As JSON, without the variable of [`RESUME_ARGUMENT`].
    variables: String,
    pub(super) language: Language,
    pub(super) audience: Audience,
}

/// One subscription before its resolver has said whether its payloads may be shared.
#[derive(Debug)]
pub(crate) struct Draft {
    source: String,
    operation_name: Option<String>,
    /// All of them: a document may require the one that is left out of the key.
    pub(super) variables: Variables,
    shared_variables: String,
    language: Language,
    root: Root,
}

/// Where a stream stands in its document, for its errors.
#[derive(Debug, Default)]
pub(crate) struct Root {
    at: Pos,
    key: Option<Box<str>>,
}

impl Draft {
    /// Takes note of a request that is about to be executed.
    pub(crate) fn of(request: &mut Request, language: Language) -> Self {
        let (source, operation_name) = (request.query.clone(), request.operation_name.clone());
        let variables = request.variables.clone();
        let document = request.parsed_query().ok();
        let field = document.and_then(|document| root_field(document, operation_name.as_deref()));
        let root = field.map_or_else(Root::default, |field| Root {
            at: field.pos,
            key: Some(field.node.response_key().node.as_str().into()),
        });
        let resumes_by = field.and_then(|field| resume_variable(&field.node, &source));
        let mut shared = variables.clone();
        if let Some(name) = resumes_by {
            shared.remove(name.as_str());
        }
        let shared_variables = shared.into_value().to_string();
        Self { source, operation_name, variables, shared_variables, language, root }
    }

    /// What its payloads are shared by.
    pub(super) fn key(&self, audience: Audience) -> PlanKey {
        PlanKey {
            source: self.source.clone(),
            operation_name: self.operation_name.clone(),
            variables: self.shared_variables.clone(),
            language: self.language,
            audience,
        }
    }

    /// The place of its stream.
    pub(super) fn into_root(self) -> Root {
        self.root
    }
}

impl Root {
    /// An error of the stream, at the place of its field.
    pub(super) fn error(&self, error: async_graphql::Error) -> ServerError {
        let path = self.key.iter().map(|key| PathSegment::Field(key.to_string())).collect();
        error.into_server_error(self.at).with_path(path)
    }
}

impl PlanKey {
    /// A request for the payloads.
    pub(super) fn request(&self, variables: Variables) -> Request {
        let mut request = Request::new(self.source.clone()).variables(variables);
        request.operation_name.clone_from(&self.operation_name);
        request
    }
}

/// The one root field; none when it hides in a fragment, which costs sharing over different `after` only.
fn root_field<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a Positioned<Field>> {
    let mut subscriptions = document.operations.iter().filter(|(of, operation)| {
        operation.node.ty == OperationType::Subscription
            && name.is_none_or(|name| of.is_some_and(|of| of.as_str() == name))
    });
    let (_, operation) = subscriptions.next()?;
    match &operation.node.selection_set.node.items.first()?.node {
        Selection::Field(field) => Some(field),
        Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
    }
}

/// The variable that is given as `after` and used nowhere else.
fn resume_variable(field: &Field, source: &str) -> Option<String> {
    // As the document spells it; only a variable begins like this.
    let given = field.get_argument(RESUME_ARGUMENT)?.node.to_string();
    let name = given.strip_prefix('$')?;
    // Declared once and used once. A comment that holds the name makes it more: shared less, never wrongly.
    (mentions(source, name) == 2).then(|| name.to_owned())
}

fn mentions(source: &str, variable: &str) -> usize {
    let is_name = |letter: char| letter == '_' || letter.is_ascii_alphanumeric();
    let names = source.split('$').skip(1).map(str::trim_start);
    names.filter(|rest| rest.strip_prefix(variable).is_some_and(|rest| !rest.starts_with(is_name))).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(source: &str, variables: serde_json::Value) -> PlanKey {
        let mut request = Request::new(source).variables(Variables::from_json(variables));
        Draft::of(&mut request, Language::En).key(Audience("all"))
    }

    #[test]
    fn where_a_stream_goes_on_does_not_change_its_payloads() {
        let source = "subscription ($a: Position, $b: Int) { updates(after: $a) { x(b: $b) } }";
        let one = key(source, json!({ "a": "1", "b": 1 }));
        assert_eq!(one, key(source, json!({ "a": "2", "b": 1 })));
        assert_eq!(one, key(source, json!({ "b": 1 })));
        assert_ne!(one, key(source, json!({ "a": "1", "b": 2 })));
    }

    #[test]
    fn a_variable_that_is_used_elsewhere_too_counts() {
        for source in [
            "subscription ($a: Position) { updates(after: $a) { x(b: $a) } }",
            "subscription ($a: Position) { updates(after: $a) { ...F } } fragment F on U { x(b: $ a) }",
            "subscription ($a: Position) { ... on S { updates(after: $a) { x } } }",
            "subscription ($a: Position) { updates(before: $a) { x } }",
        ] {
            assert_ne!(key(source, json!({ "a": "1" })), key(source, json!({ "a": "2" })), "{source}");
        }
    }

    #[test]
    fn names_that_only_begin_alike_are_others() {
        assert_eq!(mentions("($a: A, $ab: B) { f(after: $a) { g(x: $ab) } }", "a"), 2);
    }
}
