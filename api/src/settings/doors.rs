//! What of the GraphQL endpoints is open, and to whom.

use std::path::PathBuf;

use clap::{ArgAction, Args};

/// What of the GraphQL endpoints is open, and to whom.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Doors")]
pub struct DoorSettings {
    /// Whether queries may also come by GET, as GraphQL over HTTP allows; mutations never may.
    #[arg(long, env = "ANNAL_GET_QUERIES", default_value_t = true, action = ArgAction::Set)]
    pub get_queries: bool,

    /// Whether those who are not signed in may read the schema, by introspection and at /schema.graphql.
    #[arg(long, env = "ANNAL_SCHEMA_FOR_ALL", default_value_t = true, action = ArgAction::Set)]
    pub schema_for_all: bool,

    /// Whether there is a playground at /playground/.
    #[arg(long, env = "ANNAL_PLAYGROUND", default_value_t = true, action = ArgAction::Set)]
    pub playground: bool,

    /// A JSON file of documents that clients may name by `documentId`: each text under its SHA-256, as the
    /// compilers of clients write it.
    #[arg(long, env = "ANNAL_DOCUMENTS")]
    pub documents: Option<PathBuf>,
}
