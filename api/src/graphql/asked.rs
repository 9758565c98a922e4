//! The position of the views when a request came in, before anything of it was read.
//!
//! A client asks for the position together with what it reads, and subscribes after it. So the position
//! must be older than every read of the request: too old costs a few repeated updates, too new loses some.

use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest};
use async_graphql::{Request, ServerResult};
use domain::Position;
use projections::Views;

/// In the data of every request.
#[derive(Clone, Copy)]
pub(super) struct AskedAt(pub(super) Position);

/// Takes the position for every request.
pub(super) struct SamplePosition(pub(super) Views);

impl ExtensionFactory for SamplePosition {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Sample(self.0.clone()))
    }
}

struct Sample(Views);

#[async_trait::async_trait]
impl Extension for Sample {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        next.run(ctx, request.data(AskedAt(self.0.position()))).await
    }
}
