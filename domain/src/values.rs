//! Values with rules of their own: checked once, at the door, and valid ever after.

use std::fmt;

/// Shortest user name, in characters.
pub const USER_NAME_CHARS_MIN: usize = 6;
/// Longest user name, in characters.
pub const USER_NAME_CHARS_MAX: usize = 20;
/// Shortest password, in characters.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Longest password, in characters.
pub const PASSWORD_CHARS_MAX: usize = 128;
/// Longest message, in characters.
pub const MESSAGE_TEXT_CHARS_MAX: usize = 10_000;
/// Longest name of a group, in characters.
pub const GROUP_NAME_CHARS_MAX: usize = 50;
/// Longest device name, in characters; longer ones are cut, since browsers choose them.
pub const DEVICE_CHARS_MAX: usize = 200;

/// The name under which the messages of a cancelled account appear to the original client.
/// It fits the pattern of user names, so nobody may take it.
const RESERVED_USER_NAMES: [&str; 1] = ["accountsuspended"];

/// The inputs that people fill in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// A user name.
    UserName,
    /// A password.
    Password,
    /// The text of a message.
    MessageText,
    /// The name of a group.
    GroupName,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserName => "user name",
            Self::Password => "password",
            Self::MessageText => "message text",
            Self::GroupName => "group name",
        })
    }
}

/// A value that breaks its rule; says which field and which limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidValue {
    /// The field.
    pub field: Field,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// Fewer characters than needed.
    #[error("at least {chars_min} characters")]
    TooShort {
        /// The least allowed.
        chars_min: usize,
    },
    /// More characters than allowed.
    #[error("at most {chars_max} characters")]
    TooLong {
        /// The most allowed.
        chars_max: usize,
    },
    /// Nothing but white space.
    #[error("must not be blank")]
    Blank,
    /// Something else than ASCII letters and digits.
    #[error("only letters A to Z and digits")]
    NotAlphanumeric,
    /// A null character, which the database cannot hold.
    #[error("must not contain a null character")]
    NullCharacter,
}

fn invalid(field: Field, problem: Problem) -> InvalidValue {
    InvalidValue { field, problem }
}

fn within(field: Field, text: &str, chars_min: usize, chars_max: usize) -> Result<(), InvalidValue> {
    if text.contains('\0') {
        return Err(invalid(field, Problem::NullCharacter));
    }
    // A character has at most four bytes, so a very long text is refused without counting it.
    let chars = if text.len() > chars_max * 4 { chars_max + 1 } else { text.chars().count() };
    if chars < chars_min {
        return Err(invalid(field, Problem::TooShort { chars_min }));
    }
    if chars > chars_max {
        return Err(invalid(field, Problem::TooLong { chars_max }));
    }
    Ok(())
}

/// Declares the conversions that [`Personal`](crate::personal::Personal) needs of a text. Text that
/// comes back from the log was checked when it was written and is taken as it is.
macro_rules! personal_text {
    ($name:ident) => {
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(stored: String) -> Self {
                Self(stored)
            }
        }

        /// Shows the type, never the text: personal data must not reach a log line.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(hidden)"))
            }
        }
    };
}

/// A user name as its owner writes it: 6 to 20 ASCII letters or digits.
#[derive(Clone, PartialEq, Eq)]
pub struct UserName(String);

personal_text!(UserName);

impl UserName {
    /// Checks a name.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        within(Field::UserName, text, USER_NAME_CHARS_MIN, USER_NAME_CHARS_MAX)?;
        if !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(invalid(Field::UserName, Problem::NotAlphanumeric));
        }
        Ok(Self(text.to_owned()))
    }

    /// The form in which names are compared: two names that differ in case only are the same.
    pub fn normalised(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Whether the name belongs to the product and can never be claimed.
    pub fn is_reserved(&self) -> bool {
        RESERVED_USER_NAMES.contains(&self.normalised().as_str())
    }
}

/// A password that may be set: 8 to 128 characters of anything but null. Lives only until it is hashed.
pub struct Password(String);

impl Password {
    /// Checks a password that a person chooses.
    pub fn parse(text: String) -> Result<Self, InvalidValue> {
        within(Field::Password, &text, PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX)?;
        Ok(Self(text))
    }

    /// The characters, for hashing only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// The text of a message: 1 to 10,000 characters, not blank; kept exactly as typed.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageText(String);

personal_text!(MessageText);

impl MessageText {
    /// Checks a text.
    pub fn parse(text: String) -> Result<Self, InvalidValue> {
        within(Field::MessageText, &text, 0, MESSAGE_TEXT_CHARS_MAX)?;
        if text.trim().is_empty() {
            return Err(invalid(Field::MessageText, Problem::Blank));
        }
        Ok(Self(text))
    }
}

/// The name of a group: 1 to 50 characters of any script, not blank; kept exactly as typed.
#[derive(Clone, PartialEq, Eq)]
pub struct GroupName(String);

personal_text!(GroupName);

impl GroupName {
    /// Checks a name.
    pub fn parse(text: String) -> Result<Self, InvalidValue> {
        within(Field::GroupName, &text, 0, GROUP_NAME_CHARS_MAX)?;
        if text.trim().is_empty() {
            return Err(invalid(Field::GroupName, Problem::Blank));
        }
        Ok(Self(text))
    }
}

/// A device as its software names it, for its owner's eyes.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceName(String);

personal_text!(DeviceName);

impl DeviceName {
    /// Takes a name from software: control characters are dropped and the length is cut, never refused.
    pub fn lenient(text: &str) -> Self {
        Self(text.chars().filter(|c| !c.is_control()).take(DEVICE_CHARS_MAX).collect())
    }
}

/// A network address as text, for its owner's eyes.
#[derive(Clone, PartialEq, Eq)]
pub struct NetworkAddress(String);

personal_text!(NetworkAddress);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_has_six_to_twenty_letters_or_digits() {
        for good in ["alice1", "ABCdef123", &"a".repeat(20)] {
            assert!(UserName::parse(good).is_ok(), "{good}");
        }
        for (bad, problem) in [
            ("alice", Problem::TooShort { chars_min: 6 }),
            (&*"a".repeat(21), Problem::TooLong { chars_max: 20 }),
            ("alice_1", Problem::NotAlphanumeric),
            ("alice1\n", Problem::NotAlphanumeric),
            ("爱丽丝爱丽丝", Problem::NotAlphanumeric),
            ("alice\u{0}1", Problem::NullCharacter),
        ] {
            assert_eq!(UserName::parse(bad).unwrap_err().problem, problem, "{bad:?}");
        }
    }

    #[test]
    fn names_that_differ_in_case_only_are_the_same() {
        let [one, other] = ["Alice01", "aLICE01"].map(|n| UserName::parse(n).unwrap().normalised());
        assert_eq!(one, other);
    }

    #[test]
    fn the_name_of_cancelled_accounts_is_reserved() {
        assert!(UserName::parse("AccountSuspended").unwrap().is_reserved());
    }

    #[test]
    fn a_password_has_eight_to_128_characters_of_anything() {
        assert!(Password::parse("密码密码密码密码".into()).is_ok());
        assert!(Password::parse("p".repeat(128)).is_ok());
        assert!(Password::parse("p".repeat(7)).is_err());
        assert!(Password::parse("p".repeat(129)).is_err());
    }

    #[test]
    fn a_message_is_kept_as_typed_and_never_blank() {
        assert_eq!(MessageText::parse(" 你好 👋\n".into()).unwrap().as_ref(), " 你好 👋\n");
        assert!(MessageText::parse("字".repeat(10_000)).is_ok());
        for bad in ["", " \n\t", "\0", &"x".repeat(10_001)] {
            assert!(MessageText::parse(bad.into()).is_err());
        }
    }

    #[test]
    fn a_group_has_a_name_of_one_to_fifty_characters() {
        for good in ["x", "周末爬山 🏔", &"字".repeat(50)] {
            assert_eq!(GroupName::parse(good.into()).unwrap().as_ref(), good);
        }
        for bad in ["", "  ", "\0", &"字".repeat(51)] {
            assert!(GroupName::parse(bad.into()).is_err(), "{bad:?}");
        }
    }
}
