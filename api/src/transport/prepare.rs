//! From parameters to a request that may be executed: one pass, cheapest check first.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Request, ServerError, Value, Variables};

use super::config::TransportConfig;
use super::document::{Excess, walk};
use super::params::Params;
use super::refusal::{Code, Refusal, coded};
use super::{literals, tokens, variables};

/// A parsed, measured request with one operation chosen.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Holds the parsed document; data is added by the caller.
    pub(crate) request: Request,
    /// What kind of operation will run.
    pub(crate) kind: OperationType,
}

/// Parses and checks a request; nothing of the schema is known here.
///
/// Tokens are counted before the parser, the guard runs before the library's validation: neither sees a
/// hostile document. Costs microseconds for what clients send, under 20 ms for the worst that fits in.
pub(crate) fn prepare(
    params: Params,
    config: &TransportConfig,
    known_caller: bool,
) -> Result<Prepared, Refusal> {
    let source = source(params.query, params.document_id, config)?;
    let tokens_max = config.document.tokens_max;
    if tokens::count(&source, tokens_max) > tokens_max {
        return Err(too_complex(&Excess::Tokens(tokens_max)));
    }
    let document = parse_query(&source).map_err(|error| {
        let error = coded(ServerError::from(error), Code::GraphqlParseFailed);
        Refusal::of_errors(Code::GraphqlParseFailed, vec![error])
    })?;
    let measure = walk(&document, &config.document).map_err(|found| match found.excess {
        Excess::Cycle(_) => Refusal::at(Code::GraphqlValidationFailed, sentence(&found.excess), found.at),
        excess => Refusal::at(Code::DocumentTooComplex, sentence(&excess), found.at),
    })?;
    if measure.introspects && !known_caller && !config.introspection_anonymous {
        return Err(Refusal::new(
            Code::GraphqlValidationFailed,
            "Introspection needs a signed-in caller here.",
        ));
    }
    let operation = choose(&document, params.operation_name.as_deref())?;
    let kind = operation.node.ty;
    if kind == OperationType::Subscription {
        one_root_field(&document, operation)?;
    }
    let values = values(params.variables)?;
    variables::check(&operation.node.variable_definitions, &values)?;
    literals::check(&document)?;
    let mut request = Request::new(source).variables(values);
    request.operation_name = params.operation_name;
    request.extensions = serde_json::from_value(serde_json::Value::Object(params.extensions))
        .map_err(|_| Refusal::new(Code::BadRequest, "The parameter extensions cannot be read."))?;
    request.set_parsed_query(document);
    Ok(Prepared { request, kind })
}

fn source(query: Option<String>, id: Option<String>, config: &TransportConfig) -> Result<String, Refusal> {
    let Some(id) = id else { return Ok(query.unwrap_or_default()) };
    match config.persisted(&id) {
        Some(document) => Ok(document.to_string()),
        None => {
            Err(Refusal::new(Code::PersistedDocumentNotFound, "No document is known by this documentId."))
        }
    }
}

fn values(variables: serde_json::Map<String, serde_json::Value>) -> Result<Variables, Refusal> {
    Value::from_json(serde_json::Value::Object(variables))
        .map(Variables::from_value)
        .map_err(|_| Refusal::new(Code::BadUserInput, "The variables cannot be read."))
}

fn choose<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a Positioned<OperationDefinition>, Refusal> {
    let unresolved = |message: &str| Err(Refusal::new(Code::OperationResolutionFailure, message));
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation),
        (DocumentOperations::Multiple(all), Some(name)) => match all.get(name) {
            Some(operation) => Ok(operation),
            None => unresolved("The document has no operation of this operationName."),
        },
        (DocumentOperations::Multiple(all), None) if all.len() == 1 => match all.values().next() {
            Some(operation) => Ok(operation),
            None => unresolved("The document has no operation."),
        },
        (DocumentOperations::Multiple(_), None) => {
            unresolved("The document has several operations: send operationName.")
        }
        (DocumentOperations::Single(_), Some(_)) => {
            unresolved("The operation has no name, but operationName was sent.")
        }
    }
}

/// A subscription has exactly one root field (GraphQL specification, 5.2.4.1); the library accepts more.
fn one_root_field(
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
) -> Result<(), Refusal> {
    fn collect<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet, keys: &mut Vec<&'a Name>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => keys.push(&field.node.response_key().node),
                Selection::InlineFragment(inline) => collect(document, &inline.node.selection_set.node, keys),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                        collect(document, &fragment.node.selection_set.node, keys);
                    }
                }
            }
        }
    }
    let mut keys = Vec::new();
    collect(document, &operation.node.selection_set.node, &mut keys);
    keys.sort_unstable();
    keys.dedup();
    if keys.len() > 1 {
        let message = "A subscription must have exactly one root field.";
        return Err(Refusal::at(Code::GraphqlValidationFailed, message, operation.pos));
    }
    Ok(())
}

fn too_complex(excess: &Excess) -> Refusal {
    Refusal::new(Code::DocumentTooComplex, sentence(excess))
}

/// An error text as an API sentence: capital letter, full stop.
fn sentence(text: &impl ToString) -> String {
    let text = text.to_string();
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str() + ".")
        .unwrap_or_default()
}
