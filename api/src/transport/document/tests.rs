//! The guard's work, counted: it looks at every selection of a document at most once.

use std::fs;
use std::path::Path;

use async_graphql::parser::parse_query;

use super::*;
use crate::transport::tokens;

#[test]
fn refusing_a_hostile_document_takes_no_more_steps_than_it_has_tokens() {
    let limits = DocumentLimits::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transport_probes/hostile");
    let mut walked = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let tokens = tokens::count(&text, limits.tokens_max);
        let Ok(document) = parse_query(&text) else { continue };
        if tokens > limits.tokens_max {
            continue;
        }
        let mut walk = Walk::new(&document, &limits);
        let outcome = walk.whole();
        assert!(walk.steps <= tokens, "{}: {} steps for {tokens} tokens", path.display(), walk.steps);
        walked += usize::from(outcome.is_err());
    }
    assert!(walked >= 20, "only {walked} documents reached the guard and were refused by it");
}

#[test]
fn the_work_is_linear_where_the_answer_would_be_exponential() {
    let bomb = |levels: usize| {
        let fragments = (0..levels).map(|n| format!("fragment F{n} on R {{ ...F{0} ...F{0} }} ", n + 1));
        format!("{{ r {{ ...F0 }} }} {} fragment F{levels} on R {{ t }}", fragments.collect::<String>())
    };
    let limits = DocumentLimits { nodes_max: u64::MAX, ..DocumentLimits::default() };
    let steps = |levels: usize| {
        let document = parse_query(bomb(levels)).unwrap();
        let mut walk = Walk::new(&document, &limits);
        let measure = walk.whole().unwrap();
        assert!(levels < 60 || measure.nodes > 1 << 59, "{measure:?}");
        walk.steps
    };
    assert_eq!(steps(60) - steps(59), steps(11) - steps(10));
}
