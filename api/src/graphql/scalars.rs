//! Scalars of our own.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{SecondsFormat, Utc};

/// A moment, as clients see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DateTime(pub chrono::DateTime<Utc>);

/// A moment in UTC: RFC 3339 with milliseconds, such as `2026-11-23T12:00:00.000Z`.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => chrono::DateTime::parse_from_rfc3339(text)
                .map(|moment| Self(moment.to_utc()))
                .map_err(|_| InputValueError::custom("a DateTime is RFC 3339 text")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// A position of the log, as clients see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position(pub domain::Position);

/// A place in the log, as decimal text: every change has one, and a client that knows its last position
/// has missed nothing before it. Compare positions as numbers; positions of different log epochs have
/// nothing to do with each other.
#[Scalar(name = "Position")]
impl ScalarType for Position {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let position = digits.then(|| text.parse().ok()).flatten();
        position
            .map(|position| Self(domain::Position(position)))
            .ok_or_else(|| InputValueError::custom("a Position is a decimal number as text"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<domain::Position> for Position {
    fn from(position: domain::Position) -> Self {
        Self(position)
    }
}

impl From<chrono::DateTime<Utc>> for DateTime {
    fn from(moment: chrono::DateTime<Utc>) -> Self {
        Self(moment)
    }
}
