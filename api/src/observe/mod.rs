//! What operators see: log lines, metrics, traces.
//!
//! Invariant: none of them holds what people wrote, their names, passwords, tokens or addresses. Labels of
//! metrics come from closed lists, so that their number is bounded.

mod catalogue;
mod logging;
mod page;
mod sample;
mod traces;

pub use catalogue::{ALL as METRICS, Kind, Metric};
pub use logging::{Observing, start};
pub use page::{MetricsError, MetricsPage};
pub use sample::Sampler;
pub use traces::TracesError;
