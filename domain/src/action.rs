//! Actions: what a person asks for, decided over one or a few streams, all or nothing.

use crate::credential::CredentialChange;
use crate::decider::Decider;
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// The most streams one action may touch (read or written).
pub const STREAMS_PER_ACTION_MAX: usize = 6;

/// What a person, a policy or the command line asks for.
///
/// An action is decided against the streams it names, as they are at one moment. It may be decided
/// again when another writer was faster, so it holds everything it needs and changes nothing itself.
pub trait Action: Send + Sync + 'static {
    /// The streams that the decision reads or writes, at most [`STREAMS_PER_ACTION_MAX`], in any order.
    fn streams(&self) -> Vec<StreamRef>;

    /// Decides on every stream in turn; a refusal of any refuses the whole and nothing is recorded.
    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal>;
}

/// The streams of one action while it is being decided.
pub trait Streams {
    /// The state before this action.
    ///
    /// # Panics
    /// When the action did not name the stream: a mistake in the action, found by its first test.
    fn state<A: Decider>(&self, id: &A::Id) -> &A;

    /// Decides on one stream and records what follows; says whether anything did. At most once per
    /// stream and action: a second decision would not see the first.
    ///
    /// # Panics
    /// When the action did not name the stream, or decides on it twice.
    fn decide<A: Decider>(&mut self, id: &A::Id, command: &A::Command) -> Result<bool, A::Error>;

    /// Records a change of credentials, to be executed with the append.
    fn credential(&mut self, change: CredentialChange);
}
