//! The product's face: the GraphQL schema over commands and views.
//!
//! A resolver parses its input, builds a command or asks a view, and answers. Invariant: no rule and no
//! SQL lives here.

mod asked;
pub mod connection;
pub mod context;
mod faults;
pub mod group_updates;
mod ids;
mod loaders;
pub mod model;
pub mod mutations;
pub mod payload;
pub mod queries;
pub mod scalars;
pub mod subscription;

use async_graphql::{SDLExportOptions, Schema};

pub use context::App;
pub use mutations::Mutation;
pub use queries::Query;
pub use subscription::Subscription;

/// The schema type.
pub type AnnalSchema = Schema<Query, Mutation, Subscription>;

/// The schema without anything behind it, for printing.
fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    // The transport's document guard limits depth and size; suggestions would tell the schema to strangers.
    Schema::build(Query, Mutation::default(), Subscription).disable_suggestions()
}

/// The schema over a running house.
pub fn schema(app: App) -> AnnalSchema {
    let loader = loaders::loader(app.log.clone(), app.views.clone());
    builder().extension(asked::SamplePosition(app.views.clone())).data(loader).data(app).finish()
}

/// The schema in the schema definition language, sorted: the content of `schema.graphql`.
pub fn sdl() -> String {
    let options = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items();
    let sdl = builder().finish().sdl_with_options(options.include_specified_by());
    let lines: Vec<&str> = sdl.lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n").trim())
}
