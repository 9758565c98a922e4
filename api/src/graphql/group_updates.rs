//! What happens to groups, live.

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};
use domain::ConversationId;
use domain::conversation::ConversationEvent;

use super::context::ContextExt as _;
use super::ids::NodeId;
use super::loaders::conversation_position;
use super::model::Person;
use super::subscription::UpdateEvent;

/// Declares something that happens to a group: the id of the group and what else there is to say.
macro_rules! of_a_group {
    ($(#[$doc:meta])* $update:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(SimpleObject, Clone)]
        #[graphql(complex)]
        pub struct $update {
            #[graphql(skip)]
            conversation: ConversationId,
            $($(#[$field_doc])* $field: $kind),*
        }

        #[ComplexObject]
        impl $update {
            /// The id of the group.
            async fn conversation_id(&self, ctx: &Context<'_>) -> Result<ID> {
                let position = conversation_position(&ctx.app().log, self.conversation).await?;
                Ok(NodeId::Conversation(position).into())
            }
        }
    };
}

of_a_group! {
    /// Somebody is in a group from here on, as a plain member who sees what is said from here on.
    MemberJoinedUpdate {
        /// Who.
        member: Person,
        /// Who let them in.
        by: Person,
    }
}

of_a_group! {
    /// A member left a group. The one who left hears nothing more of it.
    MemberLeftUpdate {
        /// Who.
        member: Person,
    }
}

of_a_group! {
    /// A member was put out of a group, and hears nothing more of it.
    MemberRemovedUpdate {
        /// Who.
        member: Person,
        /// Who did it.
        by: Person,
    }
}

of_a_group! {
    /// A member of a group is a manager from here on.
    ManagerAppointedUpdate {
        /// Who.
        member: Person,
        /// Who appointed them.
        by: Person,
    }
}

of_a_group! {
    /// A manager of a group is a plain member again.
    ManagerDismissedUpdate {
        /// Who.
        member: Person,
        /// Who dismissed them.
        by: Person,
    }
}

of_a_group! {
    /// A group has another owner; the former one is a plain member.
    OwnershipTransferredUpdate {
        /// The former owner.
        from: Person,
        /// The new owner.
        to: Person,
    }
}

of_a_group! {
    /// A group has another name.
    GroupRenamedUpdate {
        /// The new name; null once it was erased.
        name: Option<String>,
        /// Who gave it.
        by: Person,
    }
}

of_a_group! {
    /// A group ended for everybody; nobody hears anything more of it.
    GroupDissolvedUpdate {
        /// Who ended it.
        by: Person,
    }
}

/// What happened to a group as clients see it; none for what is told otherwise.
pub(super) fn group_update(conversation: ConversationId, event: &ConversationEvent) -> Option<UpdateEvent> {
    Some(match event {
        ConversationEvent::MemberJoined { member, by, after: _ } => {
            let (member, by) = (Person(*member), Person(*by));
            UpdateEvent::MemberJoined(MemberJoinedUpdate { conversation, member, by })
        }
        ConversationEvent::MemberLeft { member } => {
            UpdateEvent::MemberLeft(MemberLeftUpdate { conversation, member: Person(*member) })
        }
        ConversationEvent::MemberRemoved { member, by } => {
            let (member, by) = (Person(*member), Person(*by));
            UpdateEvent::MemberRemoved(MemberRemovedUpdate { conversation, member, by })
        }
        ConversationEvent::ManagerAppointed { member, by } => {
            let (member, by) = (Person(*member), Person(*by));
            UpdateEvent::ManagerAppointed(ManagerAppointedUpdate { conversation, member, by })
        }
        ConversationEvent::ManagerDismissed { member, by } => {
            let (member, by) = (Person(*member), Person(*by));
            UpdateEvent::ManagerDismissed(ManagerDismissedUpdate { conversation, member, by })
        }
        ConversationEvent::OwnershipTransferred { from, to } => {
            let (from, to) = (Person(*from), Person(*to));
            UpdateEvent::OwnershipTransferred(OwnershipTransferredUpdate { conversation, from, to })
        }
        ConversationEvent::ConversationRenamed { name, by } => {
            let name = name.open().map(|name| name.as_ref().to_owned());
            UpdateEvent::GroupRenamed(GroupRenamedUpdate { conversation, name, by: Person(*by) })
        }
        ConversationEvent::ConversationDissolved { by } => {
            UpdateEvent::GroupDissolved(GroupDissolvedUpdate { conversation, by: Person(*by) })
        }
        ConversationEvent::ConversationStarted { .. } | ConversationEvent::MessageSent { .. } => return None,
    })
}
