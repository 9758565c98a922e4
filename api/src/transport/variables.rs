//! Values before they reach a resolver: the null character, and variables against their declared types.
//!
//! Only the built-in scalars are known here; enums, input objects and own scalars are checked by the
//! schema. The library itself would accept a missing required variable until a resolver asks for it.

use async_graphql::parser::types::{BaseType, Type, VariableDefinition};
use async_graphql::{Pos, Positioned, Value, Variables};

use super::refusal::{Code, Refusal};

/// Checks every variable that came in, and every one that the operation declares.
pub(crate) fn check(
    definitions: &[Positioned<VariableDefinition>],
    variables: &Variables,
) -> Result<(), Refusal> {
    for (name, value) in variables.iter() {
        refuse_null_character(value, &format!("${name}"), None)?;
    }
    definitions.iter().try_for_each(|definition| {
        let (name, declared) = (&definition.node.name.node, &definition.node.var_type.node);
        let path = format!("${name}");
        match variables.get(name) {
            Some(value) => fits(value, declared, &path, definition.pos),
            None if declared.nullable || definition.node.default_value.is_some() => Ok(()),
            None => Err(bad(
                format!("Variable \"{path}\" of required type \"{declared}\" was not provided."),
                definition.pos,
            )),
        }
    })
}

/// Refuses a string that holds U+0000, which PostgreSQL cannot store; `path` names the argument.
pub(crate) fn refuse_null_character(value: &Value, path: &str, at: Option<Pos>) -> Result<(), Refusal> {
    let refuse = || {
        let message = format!("The value of \"{path}\" contains a null character (U+0000).");
        Err(bad(message, at.unwrap_or_default()))
    };
    match value {
        Value::String(text) if text.contains('\0') => refuse(),
        Value::List(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| refuse_null_character(item, &format!("{path}[{index}]"), at)),
        Value::Object(fields) => fields.iter().try_for_each(|(key, field)| {
            if key.contains('\0') {
                return refuse();
            }
            refuse_null_character(field, &format!("{path}.{key}"), at)
        }),
        _ => Ok(()),
    }
}

fn fits(value: &Value, declared: &Type, path: &str, at: Pos) -> Result<(), Refusal> {
    let refuse =
        |reason: &str| Err(bad(format!("Variable \"{path}\" of type \"{declared}\": {reason}."), at));
    match (&declared.base, value) {
        (_, Value::Null) if declared.nullable => Ok(()),
        (_, Value::Null) => refuse("null is not allowed"),
        (BaseType::List(inner), Value::List(items)) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| fits(item, inner, &format!("{path}[{index}]"), at)),
        (BaseType::List(inner), single) => fits(single, inner, path, at),
        (BaseType::Named(name), value) => match (name.as_str(), value) {
            ("Int", Value::Number(number)) if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {
                Ok(())
            }
            ("Int", Value::Number(_)) => refuse("not an integer of 32 bits"),
            ("Float", Value::Number(_))
            | ("String" | "ID", Value::String(_))
            | ("Boolean", Value::Boolean(_)) => Ok(()),
            ("ID", Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(()),
            ("Int" | "Float" | "String" | "ID" | "Boolean", _) => refuse("a value of another type was given"),
            _ => Ok(()),
        },
    }
}

fn bad(message: String, at: Pos) -> Refusal {
    if at == Pos::default() {
        Refusal::new(Code::BadUserInput, message)
    } else {
        Refusal::at(Code::BadUserInput, message, at)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::{Value as Json, json};

    use super::*;

    fn checked(declared: &str, variables: &Json) -> Result<(), String> {
        let document = parse_query(format!("query({declared}) {{ a }}")).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let variables = Variables::from_json(variables.clone());
        check(&operation.node.variable_definitions, &variables)
            .map_err(|refusal| refusal.errors[0].message.clone())
    }

    #[test]
    fn built_in_types_are_checked_before_execution() {
        for (declared, variables, accepted) in [
            ("$a: Int!", json!({}), false),
            ("$a: Int!", json!({ "a": null }), false),
            ("$a: Int! = 1", json!({}), true),
            ("$a: Int", json!({}), true),
            ("$a: Int", json!({ "a": 2_147_483_647 }), true),
            ("$a: Int", json!({ "a": 2_147_483_648_i64 }), false),
            ("$a: Int", json!({ "a": 1.5 }), false),
            ("$a: Int", json!({ "a": "1" }), false),
            ("$a: Float", json!({ "a": 1 }), true),
            ("$a: ID", json!({ "a": 1 }), true),
            ("$a: ID", json!({ "a": 1.5 }), false),
            ("$a: [String!]", json!({ "a": ["x", null] }), false),
            ("$a: [String!]", json!({ "a": "x" }), true),
            ("$a: [Int]", json!({ "a": [1, null] }), true),
            ("$a: Own", json!({ "a": { "any": [1] } }), true),
            ("$a: Int", json!({ "unknown": 1 }), true),
        ] {
            assert_eq!(checked(declared, &variables).is_ok(), accepted, "{declared} {variables}");
        }
    }

    #[test]
    fn a_null_character_is_refused_where_it_stands() {
        let refused = checked("$a: Own", &json!({ "a": { "names": ["x", "y\0"] } })).unwrap_err();
        assert!(refused.contains("\"$a.names[1]\""), "{refused}");
        assert!(checked("$a: Own", &json!({ "a": { "na\0me": 1 } })).is_err());
        assert!(checked("$a: String", &json!({ "a": "\u{1}" })).is_ok());
    }
}
