//! The parameters of a GraphQL request, from a JSON body, a query string or a socket message.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::refusal::{Code, Refusal};

/// The parameters that GraphQL over HTTP names; null and absent are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    /// The document's text.
    pub(crate) query: Option<String>,
    /// The id of a persisted document, instead of its text.
    pub(crate) document_id: Option<String>,
    /// Which operation; the empty string is absent (draft of 2026-08).
    pub(crate) operation_name: Option<String>,
    /// Values of the variables.
    pub(crate) variables: Map<String, Value>,
    /// Whatever the client adds.
    pub(crate) extensions: Map<String, Value>,
}

impl Params {
    /// Reads a request body.
    pub(crate) fn of_body(body: &[u8]) -> Result<Self, Refusal> {
        let value = serde_json::from_slice(body).map_err(|error| {
            bad(format!("The body is not JSON: line {}, column {}.", error.line(), error.column()))
        })?;
        match value {
            Value::Object(fields) => Self::of_object(fields),
            Value::Array(_) => Err(bad("Batches are not accepted: send one request at a time.")),
            _ => Err(bad("The body must be a JSON object.")),
        }
    }

    /// Reads the `payload` of a subscribe message or a decoded body.
    pub(crate) fn of_object(mut fields: Map<String, Value>) -> Result<Self, Refusal> {
        let params = Self {
            query: text(&mut fields, "query")?,
            document_id: text(&mut fields, "documentId")?,
            operation_name: text(&mut fields, "operationName")?,
            variables: object(&mut fields, "variables")?,
            extensions: object(&mut fields, "extensions")?,
        };
        params.checked()
    }

    /// Reads a decoded query string; `variables` and `extensions` are JSON in it.
    pub(crate) fn of_query_string(mut pairs: HashMap<String, String>) -> Result<Self, Refusal> {
        let mut json = |name: &str| match pairs.remove(name).filter(|text| !text.is_empty()) {
            None => Ok(Map::new()),
            Some(text) => match serde_json::from_str(&text) {
                Ok(Value::Object(fields)) => Ok(fields),
                Ok(Value::Null) => Ok(Map::new()),
                _ => Err(bad(format!("The parameter {name} must be a JSON object."))),
            },
        };
        let (variables, extensions) = (json("variables")?, json("extensions")?);
        let mut text = |name: &str| pairs.remove(name);
        let params = Self {
            query: text("query"),
            document_id: text("documentId"),
            operation_name: text("operationName"),
            variables,
            extensions,
        };
        params.checked()
    }

    fn checked(mut self) -> Result<Self, Refusal> {
        self.operation_name = self.operation_name.filter(|name| !name.is_empty());
        match (&self.query, &self.document_id) {
            (Some(_), Some(_)) => Err(bad("Send either query or documentId, not both.")),
            (None, None) => Err(bad("The parameter query is missing.")),
            _ => Ok(self),
        }
    }
}

fn text(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad(format!("The parameter {name} must be a string."))),
    }
}

fn object(fields: &mut Map<String, Value>, name: &str) -> Result<Map<String, Value>, Refusal> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(bad(format!("The parameter {name} must be an object."))),
    }
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_object_with_known_types() {
        for body in [
            "",
            "{",
            "1",
            "null",
            "[]",
            r#"[{"query":"{a}"}]"#,
            "{}",
            r#"{"query":1}"#,
            r#"{"query":"{a}","variables":[]}"#,
            r#"{"query":"{a}","extensions":"x"}"#,
            r#"{"query":"{a}","operationName":0}"#,
            r#"{"query":"{a}","documentId":"sha256:1"}"#,
        ] {
            let refusal = Params::of_body(body.as_bytes()).expect_err(body);
            assert_eq!(refusal.code, Code::BadRequest, "{body}");
        }
        let body = br#"{"query":"{a}","operationName":"","variables":null,"extensions":null,"more":1}"#;
        let params = Params::of_body(body).unwrap();
        assert_eq!((params.query.as_deref(), params.operation_name), (Some("{a}"), None));
    }
}
