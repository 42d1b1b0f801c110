//! The body of an answer. Where somebody counts, it tells its size once, when it ended or is read no further.

use crate::meter::Meter;
use bytes::Bytes;
use http::Method;
use http_body::{Body as HttpBody, Frame, SizeHint};
use kube::client::Body;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A body as it arrives.
pub(crate) struct AnswerBody {
    body: Body,
    /// Nothing once it was told.
    weight: Option<Weight>,
}

/// What is told of a body, and to whom.
struct Weight {
    meter: Arc<dyn Meter>,
    host: String,
    method: Method,
    bytes: u64,
}

impl AnswerBody {
    /// A body whose size nobody wants to know.
    pub(crate) fn unweighed(body: Body) -> Self {
        Self { body, weight: None }
    }

    /// A body whose size is told.
    pub(crate) fn weighed(body: Body, meter: Arc<dyn Meter>, host: &str, method: Method) -> Self {
        Self { body, weight: Some(Weight { meter, host: host.to_owned(), method, bytes: 0 }) }
    }

    fn tell(&mut self) {
        if let Some(weight) = self.weight.take() {
            weight.meter.received(&weight.host, weight.method.as_str(), weight.bytes);
        }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = kube::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, kube::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                if let Some(weight) = &mut self.weight {
                    weight.bytes += u64::try_from(length).unwrap_or(u64::MAX);
                }
            }
            Poll::Ready(None) => self.tell(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Measured;
    use http_body_util::BodyExt;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Heard(Mutex<Vec<u64>>);

    impl Meter for Heard {
        fn requested(&self, _measured: &Measured<'_>) {}

        fn received(&self, _host: &str, _method: &str, bytes: u64) {
            self.0.lock().unwrap().push(bytes);
        }
    }

    #[tokio::test]
    async fn a_size_is_told_once_when_the_body_ended_or_is_dropped() {
        let heard = Arc::new(Heard::default());
        let body = || {
            let body = Body::from(Bytes::from_static(b"an answer"));
            AnswerBody::weighed(body, heard.clone(), "hub:6443", Method::GET)
        };
        let told = || heard.0.lock().unwrap().clone();
        drop(body());
        assert_eq!(told(), [0]);
        let mut cut = body();
        cut.frame().await.unwrap().unwrap();
        assert_eq!(told(), [0]);
        drop(cut);
        assert_eq!(told(), [0, 9]);
        let mut whole = body();
        while whole.frame().await.is_some() {}
        assert_eq!(told(), [0, 9, 9]);
        drop(whole);
        assert_eq!(told(), [0, 9, 9]);
    }
}
