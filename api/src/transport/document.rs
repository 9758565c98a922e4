//! The document guard: how much a document asks for, found in one walk that visits every node once.
//!
//! Fragments multiply: eleven lines can spread to millions of fields, and the library walks each of them
//! several times before it refuses. Here the measure of a fragment is computed once and added wherever it
//! is spread, so the cost of the guard is linear in the length of the document.

use std::collections::HashMap;

use async_graphql::parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Name, Pos, Positioned};
use thiserror::Error;

use super::config::DocumentLimits;

#[cfg(test)]
mod tests;

/// Fields whose lists multiply below `__schema` and `__type`.
const INTROSPECTION_LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];

/// What a document asks for, fragments expanded; sums saturate instead of overflowing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Fields, spreads and inline fragments.
    pub nodes: u64,
    /// Nested fields, leaves included.
    pub depth: u64,
    /// Aliased fields.
    pub aliases: u64,
    /// Directives.
    pub directives: u64,
    /// Nested lists of the introspection schema.
    pub introspection_lists: u64,
    /// Whether `__schema` or `__type` is asked for.
    pub introspects: bool,
}

/// Why a document is too much; the message names the limit and nothing of the document but names.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Excess {
    /// Too many expanded nodes.
    #[error("the document expands to more than {0} fields")]
    Nodes(u64),
    /// Nested too deeply.
    #[error("the document is nested deeper than {0} fields")]
    Depth(u64),
    /// Too many aliases.
    #[error("the document has more than {0} aliases")]
    Aliases(u64),
    /// Too many directives.
    #[error("the document has more than {0} directives")]
    Directives(u64),
    /// Too many directives at one place.
    #[error("more than {0} directives at one place")]
    DirectivesAtOnePlace(usize),
    /// One response key written too often in one selection set.
    #[error("the field \"{1}\" is written more than {0} times in one selection")]
    Repeats(usize, String),
    /// Too many fragments.
    #[error("the document has more than {0} fragments")]
    Fragments(usize),
    /// Too many operations.
    #[error("the document has more than {0} operations")]
    Operations(usize),
    /// Too many tokens.
    #[error("the document has more than {0} tokens")]
    Tokens(usize),
    /// Introspection that asks for lists of lists.
    #[error("introspection is nested deeper than {0} lists")]
    IntrospectionLists(u64),
    /// A fragment that spreads itself, directly or through others.
    #[error("the fragment \"{0}\" spreads itself")]
    Cycle(String),
}

/// An [`Excess`] and where it stands in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// What is too much.
    pub(crate) excess: Excess,
    /// Where.
    pub(crate) at: Pos,
}

/// Measures all operations together, or says what is too much.
///
/// Unused fragments count as well, because validation reads them. Unknown fragments count as one node:
/// validation names them.
///
/// # Errors
/// The first [`Excess`] found.
pub fn measure(document: &ExecutableDocument, limits: &DocumentLimits) -> Result<Measure, Excess> {
    walk(document, limits).map_err(|found| found.excess)
}

/// [`measure`] with the place of the excess.
pub(crate) fn walk(document: &ExecutableDocument, limits: &DocumentLimits) -> Result<Measure, Found> {
    Walk::new(document, limits).whole()
}

/// What is known of a fragment: being measured (a spread of it is a cycle), or measured.
#[derive(Clone, Copy)]
enum Known {
    Open,
    Done(Measure),
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    limits: &'a DocumentLimits,
    fragments: HashMap<&'a str, Known>,
    /// Selections looked at so far: what the guard itself costs.
    steps: usize,
}

impl<'a> Walk<'a> {
    fn new(document: &'a ExecutableDocument, limits: &'a DocumentLimits) -> Self {
        Self { document, limits, fragments: HashMap::new(), steps: 0 }
    }

    fn whole(&mut self) -> Result<Measure, Found> {
        let (document, limits) = (self.document, self.limits);
        let start = Pos { line: 1, column: 1 };
        if document.fragments.len() > limits.fragments_max {
            return Err(Found { excess: Excess::Fragments(limits.fragments_max), at: start });
        }
        if document.operations.iter().len() > limits.operations_max {
            return Err(Found { excess: Excess::Operations(limits.operations_max), at: start });
        }
        for (name, fragment) in &document.fragments {
            self.fragment(name, fragment.pos)?;
        }
        let mut total = Measure::default();
        for (_, operation) in document.operations.iter() {
            let mut own = self.selection_set(&operation.node.selection_set.node, operation.pos)?;
            own.directives += self.directives(&operation.node.directives, operation.pos)?;
            for variable in &operation.node.variable_definitions {
                own.directives += self.directives(&variable.node.directives, variable.pos)?;
            }
            total.add(own);
            self.check(&total, operation.pos)?;
        }
        Ok(total)
    }

    fn fragment(&mut self, name: &'a Name, at: Pos) -> Result<Measure, Found> {
        match self.fragments.get(name.as_str()) {
            Some(Known::Done(measure)) => return Ok(*measure),
            Some(Known::Open) => return Err(Found { excess: Excess::Cycle(name.to_string()), at }),
            None => {}
        }
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else {
            return Ok(Measure::default());
        };
        self.fragments.insert(name.as_str(), Known::Open);
        let mut measure = self.selection_set(&fragment.node.selection_set.node, fragment.pos)?;
        measure.directives += self.directives(&fragment.node.directives, fragment.pos)?;
        self.check(&measure, fragment.pos)?;
        self.fragments.insert(name.as_str(), Known::Done(measure));
        Ok(measure)
    }

    fn selection_set(&mut self, set: &'a SelectionSet, at: Pos) -> Result<Measure, Found> {
        let mut sum = Measure::default();
        let mut written: HashMap<&str, usize> = HashMap::new();
        for selection in &set.items {
            self.steps += 1;
            if let Selection::Field(field) = &selection.node {
                let key = field.node.response_key().node.as_str();
                let times = written.entry(key).or_default();
                *times += 1;
                if *times > self.limits.repeats_max {
                    let excess = Excess::Repeats(self.limits.repeats_max, key.to_owned());
                    return Err(Found { excess, at: field.pos });
                }
            }
            sum.add(self.selection(selection)?);
        }
        self.check(&sum, at)?;
        Ok(sum)
    }

    fn selection(&mut self, selection: &'a Positioned<Selection>) -> Result<Measure, Found> {
        let at = selection.pos;
        let mut measure = match &selection.node {
            Selection::Field(field) => self.field(&field.node, at)?,
            Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, at)?,
            Selection::InlineFragment(inline) => self.selection_set(&inline.node.selection_set.node, at)?,
        };
        measure.nodes = measure.nodes.saturating_add(1);
        let directives = self.directives(selection.node.directives(), at)?;
        measure.directives = measure.directives.saturating_add(directives);
        Ok(measure)
    }

    fn field(&mut self, field: &'a Field, at: Pos) -> Result<Measure, Found> {
        let mut measure = self.selection_set(&field.selection_set.node, at)?;
        let name = field.name.node.as_str();
        measure.depth += 1;
        measure.aliases = measure.aliases.saturating_add(u64::from(field.alias.is_some()));
        measure.introspection_lists += u64::from(INTROSPECTION_LISTS.contains(&name));
        if name == "__schema" || name == "__type" {
            measure.introspects = true;
            if measure.introspection_lists > self.limits.introspection_lists_max {
                let excess = Excess::IntrospectionLists(self.limits.introspection_lists_max);
                return Err(Found { excess, at });
            }
        }
        Ok(measure)
    }

    fn directives(&self, directives: &[Positioned<Directive>], at: Pos) -> Result<u64, Found> {
        let max = self.limits.directives_per_node_max;
        if directives.len() > max {
            return Err(Found { excess: Excess::DirectivesAtOnePlace(max), at });
        }
        Ok(directives.len() as u64)
    }

    fn check(&self, measure: &Measure, at: Pos) -> Result<(), Found> {
        let limits = self.limits;
        let excess = if measure.nodes > limits.nodes_max {
            Excess::Nodes(limits.nodes_max)
        } else if measure.depth > limits.depth_max {
            Excess::Depth(limits.depth_max)
        } else if measure.aliases > limits.aliases_max {
            Excess::Aliases(limits.aliases_max)
        } else if measure.directives > limits.directives_max {
            Excess::Directives(limits.directives_max)
        } else {
            return Ok(());
        };
        Err(Found { excess, at })
    }
}

impl Measure {
    /// Adds a neighbour: counts add up, depths do not.
    fn add(&mut self, other: Self) {
        self.nodes = self.nodes.saturating_add(other.nodes);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.depth = self.depth.max(other.depth);
        self.introspection_lists = self.introspection_lists.max(other.introspection_lists);
        self.introspects |= other.introspects;
    }
}
