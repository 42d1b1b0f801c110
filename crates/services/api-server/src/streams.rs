//! Streams end when the session that opened them does.

use crate::authentication::Caller;
use crate::authorization::Access;
use crate::hub::Hub;
use futures::StreamExt as _;
use std::sync::Arc;
use std::time::Duration;
use tonic::Status;
use tonic::codegen::BoxStream;

/// How often a stream that says nothing looks after its session.
const PAUSE: Duration = Duration::from_secs(5);

/// A stream as long as the caller's session stands and `permits` has no objection. What is known here of the session is
/// asked before each item; the cache and `permits`, every few seconds.
pub(crate) fn guarded<T: Send + 'static>(
    hub: Arc<Hub>,
    caller: Caller,
    mut inner: BoxStream<T>,
    permits: impl Fn(&Access) -> Result<(), Status> + Send + 'static,
) -> BoxStream<T> {
    let mut pause = tokio::time::interval(PAUSE);
    pause.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    Box::pin(async_stream::try_stream! {
        loop {
            let item = tokio::select! {
                item = inner.next() => Some(item),
                _ = pause.tick() => None,
            };
            match item {
                None => {
                    hub.stands(&caller).await?;
                    permits(&hub.access(caller.clone()))?;
                }
                Some(None) => return,
                Some(Some(item)) => {
                    hub.stands_here(&caller)?;
                    yield item?;
                }
            }
        }
    })
}

/// For who resumes at a version that nobody remembers.
pub(crate) fn too_old(what: &str) -> Status {
    Status::aborted(format!("too old resource version: list the {what} and watch again"))
}
