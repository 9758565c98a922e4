//! The one table of refusals: what a rule's "no" is called and how it reads in each language.

use async_graphql::resolver_utils::EnumType as _;
use domain::Refusal;
use domain::account::AccountError;
use domain::contacts::ContactsError;
use domain::conversation::ConversationError;
use domain::friendship::FriendshipError;
use domain::handle::HandleError;
use domain::values::{Field, InvalidValue, Problem};

use crate::transport::Language;

/// What a refused mutation tells a program.
#[derive(async_graphql::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserErrorCode {
    /// A value is shorter than its limit.
    TooShort,
    /// A value is longer than its limit.
    TooLong,
    /// A value holds nothing but white space.
    Blank,
    /// A value holds characters that are not allowed in it.
    InvalidCharacters,
    /// An id names nothing that the viewer can see.
    NotFound,
    /// The user name is taken.
    UserNameTaken,
    /// The user name or the password is wrong.
    WrongCredentials,
    /// One cannot do this with oneself.
    WithOneself,
    /// The two are friends already.
    AlreadyFriends,
    /// There is no open friend request to answer.
    NoFriendRequest,
    /// One's own request is for the other to answer.
    OwnFriendRequest,
    /// There is no room for one more friend.
    TooManyFriends,
    /// Somebody who would have to be one's friend is none.
    NotAFriend,
    /// The conversation is private: it has no roles, no name and always the same two members.
    NotAGroup,
    /// Only the owner of the group may do this.
    OwnerOnly,
    /// Only the owner and managers of the group may do this.
    ManagersOnly,
    /// The other person's role in the group is not below one's own.
    Outranked,
    /// The owner hands the group over or dissolves it, and cannot leave.
    OwnerCannotLeave,
    /// The person is not a member of the group.
    NotAMember,
    /// The person owns the group.
    IsOwner,
    /// There is no room for so many more in the group.
    GroupFull,
    /// Too many people at once.
    TooManyAtOnce,
    /// The idempotency key was used before with another input.
    IdempotencyKeyReused,
}

impl UserErrorCode {
    /// The code as clients read it.
    pub fn name(self) -> &'static str {
        Self::items().iter().find(|item| item.value == self).map_or("", |item| item.name)
    }

    /// Every code as clients read it.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::items().iter().map(|item| item.name)
    }
}

/// A row of the table: a code, and a message in each language the product speaks.
pub struct Row {
    /// For programs.
    pub code: UserErrorCode,
    en: String,
    zh: String,
}

impl Row {
    fn new(code: UserErrorCode, en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { code, en: en.into(), zh: zh.into() }
    }

    /// For people.
    pub fn message(self, language: Language) -> String {
        match language {
            Language::En => self.en,
            Language::Zh => self.zh,
        }
    }
}

/// The row of a domain refusal.
pub fn row(refusal: &Refusal) -> Row {
    use UserErrorCode as Code;
    match refusal {
        Refusal::Invalid(invalid) => invalid_value(*invalid),
        // A conversation of others is told apart from nothing, so that nobody learns which ones exist.
        Refusal::Account(AccountError::Unknown | AccountError::NotErased)
        | Refusal::Handle(HandleError::NotHolder)
        | Refusal::Conversation(ConversationError::NotMember) => not_found(),
        Refusal::Conversation(error) => conversation(*error),
        // Told apart from nothing else, so that nobody learns which names exist.
        Refusal::Account(AccountError::WrongPassword) => {
            Row::new(Code::WrongCredentials, "The user name or the password is wrong.", "用户名或密码错误。")
        }
        Refusal::Account(AccountError::AlreadyRegistered) | Refusal::Handle(HandleError::Taken) => {
            Row::new(Code::UserNameTaken, "This user name is taken.", "该用户名已被使用。")
        }
        Refusal::Friendship(FriendshipError::WithOneself) => {
            Row::new(Code::WithOneself, "You cannot befriend yourself.", "不能添加自己为好友。")
        }
        Refusal::Friendship(FriendshipError::AlreadyFriends) => {
            Row::new(Code::AlreadyFriends, "You are friends already.", "你们已经是好友。")
        }
        Refusal::Friendship(FriendshipError::NoRequest) => {
            Row::new(Code::NoFriendRequest, "There is no open friend request.", "没有待处理的好友申请。")
        }
        Refusal::Friendship(FriendshipError::OwnRequest) => Row::new(
            Code::OwnFriendRequest,
            "The other person has to confirm your request.",
            "你的好友申请需要由对方确认。",
        ),
        Refusal::Contacts(ContactsError::NotAFriend) => {
            Row::new(Code::NotAFriend, "Not all of these people are your friends.", "其中有人不是你的好友。")
        }
        Refusal::Contacts(ContactsError::Full { friends_max }) => Row::new(
            Code::TooManyFriends,
            format!("One of you has {friends_max} friends, which is the most."),
            format!("双方中有人的好友已达上限（{friends_max} 人）。"),
        ),
    }
}

fn conversation(error: ConversationError) -> Row {
    use UserErrorCode as Code;
    match error {
        ConversationError::NotMember => not_found(),
        ConversationError::NotAGroup => {
            Row::new(Code::NotAGroup, "This conversation is not a group.", "该会话不是群聊。")
        }
        ConversationError::OwnerOnly => {
            Row::new(Code::OwnerOnly, "Only the owner of the group may do this.", "只有群主可以执行此操作。")
        }
        ConversationError::ManagersOnly => Row::new(
            Code::ManagersOnly,
            "Only the owner and managers of the group may do this.",
            "只有群主和管理员可以执行此操作。",
        ),
        ConversationError::Outranked => Row::new(
            Code::Outranked,
            "This person's role in the group is not below yours.",
            "对方在群内的身份不低于你。",
        ),
        ConversationError::OwnerStays => Row::new(
            Code::OwnerCannotLeave,
            "Hand the group over or dissolve it; its owner cannot leave.",
            "群主不能退出群聊，请先转让或解散群聊。",
        ),
        ConversationError::PersonNotMember => {
            Row::new(Code::NotAMember, "This person is not a member of the group.", "对方不是群成员。")
        }
        ConversationError::PersonIsOwner => {
            Row::new(Code::IsOwner, "This person owns the group.", "对方是群主。")
        }
        ConversationError::Full { members_max } => Row::new(
            Code::GroupFull,
            format!("A group has at most {members_max} members."),
            format!("群成员已达上限（{members_max} 人）。"),
        ),
        ConversationError::TooManyAtOnce { members_max } => Row::new(
            Code::TooManyAtOnce,
            format!("At most {members_max} people at once."),
            format!("一次最多 {members_max} 人。"),
        ),
    }
}

/// The row for an id that names nothing the viewer can see.
pub fn not_found() -> Row {
    Row::new(UserErrorCode::NotFound, "There is nothing with this id.", "找不到该对象。")
}

/// The row for an idempotency key that came with another input before.
pub fn key_reused() -> Row {
    Row::new(
        UserErrorCode::IdempotencyKeyReused,
        "This idempotency key was used before with another input.",
        "该幂等键已用于不同的输入。",
    )
}

fn invalid_value(invalid: InvalidValue) -> Row {
    use UserErrorCode as Code;
    let (en, zh) = match invalid.field {
        Field::UserName => ("The user name", "用户名"),
        Field::Password => ("The password", "密码"),
        Field::MessageText => ("The message text", "消息内容"),
        Field::GroupName => ("The group's name", "群名称"),
    };
    match invalid.problem {
        Problem::TooShort { chars_min } => Row::new(
            Code::TooShort,
            format!("{en} needs at least {chars_min} characters."),
            format!("{zh}至少需要 {chars_min} 个字符。"),
        ),
        Problem::TooLong { chars_max } => Row::new(
            Code::TooLong,
            format!("{en} can have at most {chars_max} characters."),
            format!("{zh}最多 {chars_max} 个字符。"),
        ),
        Problem::Blank => {
            Row::new(Code::Blank, format!("{en} must not be blank."), format!("{zh}不能为空。"))
        }
        Problem::NotAlphanumeric => Row::new(
            Code::InvalidCharacters,
            format!("{en} can have only the letters A to Z and digits."),
            format!("{zh}只能包含英文字母和数字。"),
        ),
        Problem::NullCharacter => Row::new(
            Code::InvalidCharacters,
            format!("{en} must not contain a null character."),
            format!("{zh}不能包含空字符。"),
        ),
    }
}
