// What a Relay app writes: it has to compile against the schema.
import { graphql } from 'relay-runtime';

export const timelineBackwards = graphql`
  fragment timelineBackwards_conversation on Conversation
  @argumentDefinitions(count: { type: "Int", defaultValue: 50 }, cursor: { type: "String" })
  @refetchable(queryName: "timelineBackwardsQuery") {
    timeline(last: $count, before: $cursor) @connection(key: "timelineBackwards_timeline") {
      edges { node { id number sentAt sender { ...timelinePerson_person } content { __typename ... on TextContent { text } } } }
    }
  }
`;

export const timelineForwards = graphql`
  fragment timelineForwards_conversation on Conversation
  @argumentDefinitions(count: { type: "Int", defaultValue: 50 }, cursor: { type: "String" })
  @refetchable(queryName: "timelineForwardsQuery") {
    timeline(first: $count, after: $cursor) @connection(key: "timelineForwards_timeline") {
      edges { node { id number } }
    }
  }
`;

export const timelinePerson = graphql`
  fragment timelinePerson_person on Person @refetchable(queryName: "timelinePersonQuery") {
    userName
    registeredAt
  }
`;

export const timelineSend = graphql`
  mutation timelineSendMutation($input: SendMessageInput!) {
    sendMessage(input: $input) { position message { id number } userErrors { code message path } }
  }
`;

export const timelineUpdates = graphql`
  subscription timelineUpdatesSubscription($after: Position) {
    updates(after: $after) { position event { __typename ... on MessageSentUpdate { message { id number } } } }
  }
`;
