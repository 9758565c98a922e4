//! The people of the demo and what they say.

/// The password of everybody here.
pub(super) const PASSWORD: &str = "demo password 1";

/// A dozen people.
pub(super) const PEOPLE: [&str; 12] = [
    "alice01",
    "robert02",
    "carmen03",
    "daniel04",
    "wangfang",
    "lixiaoming",
    "zhangwei",
    "chenjing",
    "emilia09",
    "fatima10",
    "george11",
    "hannah12",
];

/// Who is friends with whom.
pub(super) const FRIENDSHIPS: [(&str, &str); 18] = [
    ("alice01", "robert02"),
    ("alice01", "carmen03"),
    ("alice01", "wangfang"),
    ("alice01", "lixiaoming"),
    ("alice01", "emilia09"),
    ("robert02", "daniel04"),
    ("robert02", "george11"),
    ("carmen03", "fatima10"),
    ("daniel04", "hannah12"),
    ("wangfang", "lixiaoming"),
    ("wangfang", "zhangwei"),
    ("wangfang", "chenjing"),
    ("lixiaoming", "zhangwei"),
    ("zhangwei", "chenjing"),
    ("emilia09", "fatima10"),
    ("fatima10", "george11"),
    ("george11", "hannah12"),
    ("chenjing", "emilia09"),
];

/// A conversation of two friends: who says what.
pub(super) struct Chat {
    /// One of the two.
    pub(super) one: &'static str,
    /// The other.
    pub(super) other: &'static str,
    /// Speaker and words, in order.
    pub(super) lines: &'static [(&'static str, &'static str)],
}

/// What they say. Whoever does not answer has unread messages.
pub(super) const CHATS: &[Chat] = &[
    Chat {
        one: "alice01",
        other: "robert02",
        lines: &[
            ("alice01", "Morning! Did the night build pass?"),
            ("robert02", "It did, on the third try 🙃"),
            ("robert02", "The disk on the old machine is dying, I think."),
            ("alice01", "Let us move it before the weekend then."),
            ("robert02", "Agreed. I will order a new one today."),
            ("alice01", "Thank you! Lunch at half past twelve?"),
            ("robert02", "Only if it is the noodle place 🍜"),
        ],
    },
    Chat {
        one: "alice01",
        other: "wangfang",
        lines: &[
            ("wangfang", "你好 Alice！上周的会议记录整理好了吗？"),
            ("alice01", "Almost! I will send it tonight."),
            ("wangfang", "好的，不着急。周四之前给我就行。"),
            ("wangfang", "对了，你们什么时候来北京？"),
            ("wangfang", "我们可以一起去吃烤鸭 🦆"),
        ],
    },
    Chat {
        one: "wangfang",
        other: "lixiaoming",
        lines: &[
            ("lixiaoming", "晚上打羽毛球吗？"),
            ("wangfang", "几点？我六点半才下班。"),
            ("lixiaoming", "七点半，老地方。"),
            ("wangfang", "好，我叫上陈静。"),
            ("lixiaoming", "没问题，正好凑四个人 🏸"),
        ],
    },
    Chat {
        one: "zhangwei",
        other: "chenjing",
        lines: &[
            ("zhangwei", "新版本的文档你看了吗？"),
            ("chenjing", "看了，第三章还有几个错别字，我标出来了。"),
            ("zhangwei", "太感谢了！我今天就改。"),
            ("chenjing", "改完告诉我，我再看一遍 👍"),
            ("zhangwei", "改好了，请再看一下。"),
        ],
    },
    Chat {
        one: "carmen03",
        other: "fatima10",
        lines: &[
            ("carmen03", "¿Vienes al concierto el sábado? 🎶"),
            ("fatima10", "Yes! I have two tickets, one is yours."),
            ("carmen03", "You are the best. I will bring the snacks."),
            ("fatima10", "Deal 😄"),
        ],
    },
    Chat {
        one: "emilia09",
        other: "chenjing",
        lines: &[
            ("emilia09", "你好！我的中文还在学习中 😅"),
            ("chenjing", "写得很好！加油！"),
            ("emilia09", "谢谢！How do you say \"see you tomorrow\"?"),
            ("chenjing", "明天见 👋"),
            ("emilia09", "明天见！"),
        ],
    },
    Chat {
        one: "george11",
        other: "hannah12",
        lines: &[
            ("george11", "Did you find my blue notebook?"),
            ("george11", "It might be on the shelf in the meeting room."),
            ("george11", "Never mind, it was in my bag all along 🤦"),
        ],
    },
    Chat {
        one: "robert02",
        other: "daniel04",
        lines: &[
            ("daniel04", "The release notes are ready for review."),
            ("robert02", "Reading them now."),
            ("daniel04", "Take your time, we ship on Monday."),
        ],
    },
];
