//! The null character in literals of a document, refused with the argument's name.

use std::convert::Infallible;

use async_graphql::parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Positioned, Value};

use super::refusal::Refusal;
use super::variables::refuse_null_character;

/// Variables are checked where they come in.
const IN_PLACE_OF_VARIABLES: Value = Value::Null;

/// Refuses U+0000 in every literal of the document, used or not.
pub(crate) fn check(document: &ExecutableDocument) -> Result<(), Refusal> {
    for (_, operation) in document.operations.iter() {
        for variable in &operation.node.variable_definitions {
            if let Some(default) = &variable.node.default_value {
                let path = format!("${}", variable.node.name.node);
                refuse_null_character(&default.node, &path, Some(default.pos))?;
            }
        }
        in_directives(&operation.node.directives)?;
        in_selection_set(&operation.node.selection_set.node)?;
    }
    document.fragments.values().try_for_each(|fragment| {
        in_directives(&fragment.node.directives)?;
        in_selection_set(&fragment.node.selection_set.node)
    })
}

fn in_selection_set(set: &SelectionSet) -> Result<(), Refusal> {
    set.items.iter().try_for_each(|selection| {
        in_directives(selection.node.directives())?;
        match &selection.node {
            Selection::Field(field) => in_field(&field.node),
            Selection::InlineFragment(inline) => in_selection_set(&inline.node.selection_set.node),
            Selection::FragmentSpread(_) => Ok(()),
        }
    })
}

fn in_field(field: &Field) -> Result<(), Refusal> {
    for (name, value) in &field.arguments {
        let Ok(constant) = value.node.clone().into_const_with(|_| Ok::<_, Infallible>(IN_PLACE_OF_VARIABLES));
        refuse_null_character(&constant, &name.node, Some(value.pos))?;
    }
    in_selection_set(&field.selection_set.node)
}

fn in_directives(directives: &[Positioned<Directive>]) -> Result<(), Refusal> {
    for (name, value) in directives.iter().flat_map(|directive| &directive.node.arguments) {
        let Ok(constant) = value.node.clone().into_const_with(|_| Ok::<_, Infallible>(IN_PLACE_OF_VARIABLES));
        refuse_null_character(&constant, &name.node, Some(value.pos))?;
    }
    Ok(())
}
