// The lists of the viewer, each a connection that Relay can page through and fetch again.
import { graphql } from 'relay-runtime';

export const viewerConversations = graphql`
  fragment viewerConversations_viewer on Viewer
  @argumentDefinitions(count: { type: "Int", defaultValue: 50 }, cursor: { type: "String" })
  @refetchable(queryName: "viewerConversationsQuery") {
    conversations(first: $count, after: $cursor) @connection(key: "viewerConversations_conversations") {
      edges { node { id lastNumber unreadCount ...timelineBackwards_conversation } }
    }
  }
`;

export const viewerFriends = graphql`
  fragment viewerFriends_viewer on Viewer
  @argumentDefinitions(count: { type: "Int", defaultValue: 50 }, cursor: { type: "String" })
  @refetchable(queryName: "viewerFriendsQuery") {
    friends(first: $count, after: $cursor) @connection(key: "viewerFriends_friends") {
      edges { node { since person { ...timelinePerson_person } } }
    }
  }
`;

export const viewerRequests = graphql`
  fragment viewerRequests_viewer on Viewer
  @argumentDefinitions(count: { type: "Int", defaultValue: 50 }, cursor: { type: "String" })
  @refetchable(queryName: "viewerRequestsQuery") {
    friendRequests(direction: RECEIVED, first: $count, after: $cursor)
      @connection(key: "viewerRequests_friendRequests") {
      edges { node { id state from { id } } }
    }
  }
`;

export const viewerHome = graphql`
  query viewerHomeQuery {
    viewer { ...viewerConversations_viewer ...viewerFriends_viewer ...viewerRequests_viewer }
  }
`;
