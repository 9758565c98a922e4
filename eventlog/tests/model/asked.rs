//! What the people of the model ask for.

use std::sync::Arc;

use chrono::DateTime;
use domain::account::{Device, PasswordCheck};
use domain::actions::{ConfirmFriend, NewSession, Register, RequestFriend, SendMessage, SignIn, SignOut};
use domain::credential::{PasswordHash, TokenHash};
use domain::values::{DeviceName, NetworkAddress, UserName};
use domain::{
    AccountId, Action, Actor, ConversationId, IdempotencyKey, Pair, Refusal, SessionId, StreamRef, Streams,
};
use eventlog::EventLog;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use uuid::Uuid;

use crate::kit;

/// People, and names to fight for.
pub(crate) const PEOPLE: u8 = 3;
/// Devices of each person.
pub(crate) const DEVICES: u8 = 2;
/// Idempotency keys that callers choose from, so that they meet.
const KEYS: u8 = 4;

/// A wish, before it has ids.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish {
    Register { person: u8, name: u8 },
    SignIn { person: u8, device: u8, right: bool },
    SignOut { person: u8, device: u8 },
    Request { from: u8, other: u8 },
    Confirm { by: u8, other: u8 },
    Send { from: u8, other: u8 },
}

/// A wish with the way it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Which of the callers that run at once.
    pub(crate) caller: usize,
    /// Which node is asked.
    pub(crate) node: usize,
    pub(crate) wish: Wish,
    pub(crate) key: Option<u8>,
}

/// Who wishes something and whom it concerns, counted from the first: everybody, or always the same two.
#[derive(Clone, Copy)]
pub(crate) enum Crowd {
    Everybody,
    OnePair,
}

pub(crate) fn steps(crowd: Crowd, callers: usize, nodes: usize) -> impl Strategy<Value = Vec<Step>> {
    let pair = match crowd {
        Crowd::Everybody => (0..PEOPLE, 1..PEOPLE).boxed(),
        // Person 0 and the next one, person 1 and the one before.
        Crowd::OnePair => prop_oneof![Just((0, 1)), Just((1, PEOPLE - 1))].boxed(),
    };
    let (person, device) = (pair.clone().prop_map(|(person, _)| person), 0..DEVICES);
    let wish = prop_oneof![
        1 => (person.clone(), 0..PEOPLE).prop_map(|(person, name)| Wish::Register { person, name }),
        2 => (person.clone(), device.clone(), any::<bool>())
            .prop_map(|(person, device, right)| Wish::SignIn { person, device, right }),
        1 => (person, device).prop_map(|(person, device)| Wish::SignOut { person, device }),
        2 => pair.clone().prop_map(|(from, other)| Wish::Request { from, other }),
        2 => pair.clone().prop_map(|(by, other)| Wish::Confirm { by, other }),
        8 => pair.prop_map(|(from, other)| Wish::Send { from, other }),
    ];
    let step = (0..callers, 0..nodes, wish, proptest::option::weighted(0.3, 0..KEYS));
    let step = step.prop_map(|(caller, node, wish, key)| Step { caller, node, wish, key });
    proptest::collection::vec(step, 10..80)
}

pub(crate) fn account(person: u8) -> AccountId {
    AccountId(Uuid::from_u128(u128::from(person % PEOPLE) + 1))
}

/// A device's session; its token hash is made of the same number.
pub(crate) fn session(person: u8, device: u8) -> SessionId {
    SessionId(Uuid::from_u128(u128::from(person) * 16 + u128::from(device) + 1))
}

pub(crate) fn token(session: SessionId) -> TokenHash {
    let half = session.0.into_bytes();
    TokenHash(std::array::from_fn(|place| half[place % half.len()]))
}

/// Any of the actions, as one action.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Register(Arc<Register>),
    SignIn(Arc<SignIn>),
    SignOut(SignOut),
    Request(RequestFriend),
    Confirm(ConfirmFriend),
    Send(SendMessage),
}

impl Step {
    /// Who asks.
    pub(crate) fn actor(&self) -> Actor {
        match self.wish {
            Wish::Register { .. } => Actor::Anonymous,
            Wish::SignIn { person, .. } | Wish::SignOut { person, .. } => Actor::Account(account(person)),
            Wish::Request { from, .. } | Wish::Send { from, .. } => Actor::Account(account(from)),
            Wish::Confirm { by, .. } => Actor::Account(account(by)),
        }
    }

    pub(crate) fn key(&self) -> Option<IdempotencyKey> {
        self.key.map(|key| IdempotencyKey(Uuid::from_u128(u128::from(key) + 1)))
    }

    /// The action; the same wish is the same input.
    pub(crate) fn asked(&self, log: &EventLog) -> Asked {
        match self.wish {
            Wish::Register { person, name } => {
                let user_name = UserName::parse(&format!("person0{name}")).unwrap();
                Asked::Register(Arc::new(Register {
                    account: account(person),
                    handle: log.handle_id(&user_name.normalised()),
                    user_name,
                    password: PasswordHash("$argon2id$fake".into()),
                    session: None,
                }))
            }
            Wish::SignIn { person, device, right } => Asked::SignIn(Arc::new(sign_in(person, device, right))),
            Wish::SignOut { person, device } => {
                Asked::SignOut(SignOut { account: account(person), session: session(person, device) })
            }
            Wish::Request { from, other } => {
                Asked::Request(RequestFriend::new(account(from), account(from + other)).unwrap())
            }
            Wish::Confirm { by, other } => {
                Asked::Confirm(ConfirmFriend::new(account(by), account(by + other)).unwrap())
            }
            Wish::Send { from, other } => {
                let pair = Pair::of(account(from), account(from + other)).unwrap();
                Asked::Send(kit::message(account(from), ConversationId::private(&pair), "hello"))
            }
        }
    }
}

fn sign_in(person: u8, device: u8, right: bool) -> SignIn {
    let session = session(person, device);
    SignIn {
        account: account(person),
        password: if right { PasswordCheck::Right } else { PasswordCheck::Wrong },
        session: NewSession {
            device: Device {
                session,
                name: DeviceName::lenient("a phone"),
                address: NetworkAddress::from("192.0.2.1".to_owned()),
            },
            token: token(session),
            expires_at: DateTime::from_timestamp(4_000_000_000, 0).unwrap(),
        },
    }
}

impl Action for Asked {
    fn streams(&self) -> Vec<StreamRef> {
        match self {
            Self::Register(action) => action.streams(),
            Self::SignIn(action) => action.streams(),
            Self::SignOut(action) => action.streams(),
            Self::Request(action) => action.streams(),
            Self::Confirm(action) => action.streams(),
            Self::Send(action) => action.streams(),
        }
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        match self {
            Self::Register(action) => action.decide(streams),
            Self::SignIn(action) => action.decide(streams),
            Self::SignOut(action) => action.decide(streams),
            Self::Request(action) => action.decide(streams),
            Self::Confirm(action) => action.decide(streams),
            Self::Send(action) => action.decide(streams),
        }
    }
}
