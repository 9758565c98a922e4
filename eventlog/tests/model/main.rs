//! The log against a model: random wishes of people, from several callers at once, on two nodes of one
//! database, with idempotency keys that meet. Whatever the interleaving, there is one order of events in
//! which every answer was true at a moment between its question and its answer.

#![allow(clippy::unwrap_used)]

mod asked;
#[path = "../kit/mod.rs"]
mod kit;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use asked::{Asked, Crowd, DEVICES, PEOPLE, Step, account, session, steps, token};
use domain::account::Account;
use domain::conversation::ConversationEvent;
use domain::{Causation, Event, Position, Recorded};
use eventlog::{Done, EventLog, ExecuteError, Outcome};
use kit::{context, node, start};
use proptest::test_runner::{Config, TestRunner};
use world::{Verdict, World};

const NODES: usize = 2;

/// What one caller asked and was told.
#[derive(Debug)]
struct Told {
    step: Step,
    asked: Asked,
    causation: Causation,
    /// The head before the question and after the answer.
    between: (Position, Position),
    answer: Result<Outcome, ExecuteError>,
}

impl Told {
    fn done(&self) -> Option<&Done> {
        if let Ok(Outcome::Done(done)) = &self.answer { Some(done) } else { None }
    }

    /// Who used which key; none without a key.
    fn receipt(&self) -> Option<(String, uuid::Uuid)> {
        self.step.key().map(|key| (self.step.actor().to_string(), key.0))
    }
}

#[test]
fn every_answer_is_true_and_the_log_is_what_the_model_says() {
    check(12, Crowd::Everybody, 5);
}

/// Many decisions on one state, most of it not committed: what one of them bet on may never come to be.
#[test]
fn every_answer_is_true_on_one_hot_conversation() {
    check(12, Crowd::OnePair, 24);
}

#[test]
#[ignore = "soak: many more interleavings"]
fn soak_every_answer_is_true_in_many_interleavings() {
    check(300, Crowd::Everybody, 5);
    check(300, Crowd::OnePair, 24);
}

fn check(cases: u32, crowd: Crowd, callers: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let run = |steps: Vec<Step>| {
        runtime.block_on(case(steps, callers));
        Ok(())
    };
    if let Err(failure) = TestRunner::new(config).run(&steps(crowd, callers, NODES), run) {
        panic!("{failure}");
    }
}

async fn case(steps: Vec<Step>, count: usize) {
    let test = start().await;
    let (other, other_tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    let nodes = [test.log.clone(), other];
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..count {
        let own: Vec<_> = steps.iter().filter(|step| step.caller == caller).copied().collect();
        callers.spawn(ask(nodes.clone(), own));
    }
    let told: Vec<_> = callers.join_all().await.into_iter().flatten().collect();
    let events = nodes[0].read(Position::START, 5_000).await.unwrap();
    assert_dense(&events);
    assert_effects(&told, &events);
    assert_receipts(&told);
    let world = assert_answers(&told, &events);
    assert_sessions(&nodes[1], &world).await;
    test.tasks.close().await;
    other_tasks.close().await;
}

/// Asks one thing after the other.
async fn ask(nodes: [EventLog; NODES], steps: Vec<Step>) -> Vec<Told> {
    let mut told = vec![];
    for step in steps {
        let log = &nodes[step.node];
        let mut context = context(step.actor());
        context.idempotency = step.key().map(|key| (key, format!("{:?}", step.wish)));
        let (asked, causation) = (step.asked(log), context.causation);
        let before = log.head().await.unwrap();
        let answer = log.execute(asked.clone(), context).await;
        let between = (before, log.head().await.unwrap());
        told.push(Told { step, asked, causation, between, answer });
    }
    told
}

/// Positions, sequences and the numbers of messages count 1, 2, 3 ...
fn assert_dense(events: &[Recorded]) {
    let (mut sequences, mut numbers) = (BTreeMap::new(), BTreeMap::new());
    for (position, event) in (1..).zip(events) {
        assert_eq!(event.position, Position(position));
        let sequence = sequences.entry(event.stream.clone()).or_insert(0);
        *sequence += 1;
        assert_eq!(event.sequence, *sequence);
        if let Event::Conversation(ConversationEvent::MessageSent { number, .. }) = &event.event {
            let last = numbers.entry(event.stream.clone()).or_insert(0);
            *last += 1;
            assert_eq!(number.0, *last);
        }
    }
}

/// What was answered as done stands in the log as answered; nothing else stands there.
fn assert_effects(told: &[Told], events: &[Recorded]) {
    let mut accounted = BTreeSet::new();
    for told in told.iter().filter(|told| told.done().is_some_and(|done| !done.repeated)) {
        for event in &told.done().unwrap().events {
            assert_eq!(event.metadata.causation, told.causation, "{told:?}");
            assert_eq!(events.get(usize::try_from(event.position.0 - 1).unwrap()), Some(&**event));
            assert!(accounted.insert(event.position), "{told:?}");
        }
    }
    let all: BTreeSet<_> = events.iter().map(|event| event.position).collect();
    assert_eq!(accounted, all, "there are events that nobody was told of: {told:?}");
}

/// A key of an actor has one effect; its repeats are answered with it; another input is refused.
fn assert_receipts(told: &[Told]) {
    let mut first = BTreeMap::new();
    for told in told {
        if let (Some(receipt), Some(done)) = (told.receipt(), told.done().filter(|done| !done.repeated)) {
            assert!(first.insert(receipt, (told, done)).is_none(), "a key had two effects: {told:?}");
        }
    }
    for told in told {
        let kept = told.receipt().and_then(|receipt| first.get(&receipt));
        let same_input = |one: &Told| format!("{:?}", one.step.wish) == format!("{:?}", told.step.wish);
        match &told.answer {
            Ok(Outcome::Done(done)) if done.repeated => {
                let (one, kept) = kept.expect("a repeat of something");
                assert!(same_input(one));
                assert_eq!((&done.events, done.position), (&kept.events, kept.position));
            }
            Err(ExecuteError::KeyReused) => assert!(!same_input(kept.expect("a use before").0)),
            Ok(_) | Err(ExecuteError::Contended) => {}
            Err(error) => panic!("{error}: {told:?}"),
        }
    }
}

/// Walks through the log and finds for every answer the moment at which the model says the same.
fn assert_answers(told: &[Told], events: &[Recorded]) -> World {
    let mut world = World::default();
    for told in told {
        world.prepare(&told.asked);
    }
    let mut open: Vec<_> = told.iter().filter(|told| is_to_be_judged(told)).collect();
    for position in 0..=events.len() {
        if let Some(event) = position.checked_sub(1).map(|place| &events[place]) {
            world.take_in(event);
        }
        let now = Position(i64::try_from(position).unwrap());
        open.retain(|told| !is_true(told, &world, now));
    }
    assert!(open.is_empty(), "never true between question and answer: {open:#?}");
    world
}

fn is_to_be_judged(told: &Told) -> bool {
    match &told.answer {
        Ok(Outcome::Done(done)) => !done.repeated,
        Ok(Outcome::Refused(_)) => true,
        Err(_) => false,
    }
}

fn is_true(told: &Told, world: &World, now: Position) -> bool {
    if now < told.between.0 || now > told.between.1 {
        return false;
    }
    match (&told.answer, world.decide(&told.asked)) {
        (Ok(Outcome::Refused(told)), Verdict::Refused(refusal)) => *told == refusal,
        (Ok(Outcome::Done(done)), Verdict::AlreadySo(last)) => {
            done.events.is_empty() && done.position == last
        }
        (Ok(Outcome::Done(done)), Verdict::Events(events)) => {
            let first = done.events.first().map(|event| event.position);
            first == Some(now.next()) && done.events.iter().map(|event| &event.event).eq(&events)
        }
        _ => false,
    }
}

/// Exactly the tokens of sessions that the log says are open are good, on any node.
async fn assert_sessions(log: &EventLog, world: &World) {
    for person in 0..PEOPLE {
        for session in (0..DEVICES).map(|device| session(person, device)) {
            let account = world.state::<Account>(&account(person));
            let open =
                matches!(account, Some(Account::Active { sessions, .. }) if sessions.contains(&session));
            let bearer = log.credentials().bearer(&token(session), log.clock().now()).await.unwrap();
            assert_eq!(bearer.is_some(), open, "{session:?}");
        }
        let registered = world.state::<Account>(&account(person)).is_some_and(Account::is_active);
        let password = log.credentials().password(account(person)).await.unwrap();
        assert_eq!(password.is_some(), registered);
    }
}
