//! gRPC-web: gRPC as browsers and proxies can carry it, over any HTTP and without trailers. A request becomes a gRPC
//! call of the same process; what its answer has as trailers becomes the last frame of the body.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{ACCESS_CONTROL_EXPOSE_HEADERS, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, TE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full};
use tonic::Status;
use tower::{Service, ServiceExt as _};

use crate::gateway::Body;

/// The one content type that is answered; the variants without `+proto` and in base64 are not spoken.
pub const GRPC_WEB: &str = "application/grpc-web+proto";
const GRPC: &str = "application/grpc";
/// A frame begins with its flags and its length.
const PREFIX: usize = 5;
/// The flag of the frame that holds the trailers.
const TRAILERS: u8 = 0x80;
const STATUS: &str = "grpc-status";
const MESSAGE: &str = "grpc-message";

/// Answers one request by calling `inner`, the service that answers gRPC.
pub async fn answer<S, B, R>(inner: S, request: Request<R>) -> Response<Body>
where
    S: Service<Request<tonic::body::Body>, Response = Response<B>>,
    S::Error: std::fmt::Display,
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::fmt::Display,
    R: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    R::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if request.method() != Method::POST {
        return wrong_verb(request.method());
    }
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(GRPC));
    parts.headers.insert(TE, HeaderValue::from_static("trailers"));
    let body = tonic::body::Body::new(Asked { body, frames: Frames::default() });
    match inner.oneshot(Request::from_parts(parts, body)).await {
        Ok(response) => respond(response),
        Err(error) => respond(Status::internal(error.to_string()).into_http::<tonic::body::Body>()),
    }
}

/// Where one is in a row of frames, however the bytes are cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    prefix: [u8; PREFIX],
    filled: usize,
    /// Bytes left of the frame that passes.
    left: usize,
    whole: usize,
}

impl Frames {
    /// Takes what came next.
    pub fn pass(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            if self.left > 0 {
                let skipped = self.left.min(data.len());
                self.left -= skipped;
                self.whole += usize::from(self.left == 0);
                data = &data[skipped..];
                continue;
            }
            let taken = (PREFIX - self.filled).min(data.len());
            self.prefix[self.filled..self.filled + taken].copy_from_slice(&data[..taken]);
            self.filled += taken;
            data = &data[taken..];
            if self.filled == PREFIX {
                let [_, length @ ..] = self.prefix;
                self.left = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                self.whole += usize::from(self.left == 0);
                self.filled = 0;
            }
        }
    }

    /// How many frames have passed as a whole.
    #[must_use]
    pub fn whole(&self) -> usize {
        self.whole
    }

    /// Whether a body may end here.
    ///
    /// # Errors
    /// In the words of Go's server, when the last frame is not whole, or there is none.
    pub fn end(&self) -> Result<(), Status> {
        if self.left > 0 {
            Err(Status::unknown("unexpected EOF"))
        } else if self.filled > 0 || self.whole == 0 {
            Err(Status::unknown("EOF"))
        } else {
            Ok(())
        }
    }
}

/// A request's body, whose end must be that of a frame.
struct Asked<B> {
    body: B,
    frames: Frames,
}

impl<B> http_body::Body for Asked<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        Poll::Ready(match ready!(Pin::new(&mut this.body).poll_frame(context)) {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    this.frames.pass(data);
                }
                Some(Ok(frame))
            }
            Some(Err(error)) => Some(Err(Status::from_error(error.into()))),
            None => this.frames.end().err().map(|status| {
                // Told once.
                this.frames = Frames { whole: 1, ..Frames::default() };
                Err(status)
            }),
        })
    }
}

/// An answer's body, its trailers as the last frame.
struct Answered<B> {
    body: B,
    ended: bool,
}

impl<B> http_body::Body for Answered<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        let frame = match ready!(Pin::new(&mut this.body).poll_frame(context)) {
            None => return Poll::Ready(None),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Err(frame) => trailers_frame(&frame.into_trailers().unwrap_or_default()),
            },
            // The status line is long gone.
            Some(Err(error)) => {
                let headers = Status::internal(error.to_string()).into_http::<tonic::body::Body>();
                trailers_frame(headers.headers())
            }
        };
        this.ended = true;
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }
}

fn respond<B>(response: Response<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::fmt::Display,
{
    let (mut parts, body) = response.into_parts();
    if let Some(plain) = parts.headers.get(MESSAGE).and_then(plain) {
        parts.headers.insert(MESSAGE, plain);
    }
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(GRPC_WEB));
    parts.headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Ok(names) = HeaderValue::try_from(exposed(&parts.headers)) {
        parts.headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names);
    }
    let ended = body.is_end_stream();
    Response::from_parts(parts, Answered { body, ended }.boxed_unsync())
}

/// What scripts may read: every header there is, and how the call ended.
fn exposed(headers: &HeaderMap) -> String {
    let mut names: Vec<String> = headers.keys().map(canonical).chain(["Date".to_owned()]).collect();
    names.sort();
    names.dedup();
    names.extend([STATUS.to_owned(), MESSAGE.to_owned()]);
    names.join(", ")
}

fn canonical(name: &HeaderName) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    name.as_str().split('-').map(word).collect::<Vec<_>>().join("-")
}

/// The last frame of an answer.
#[must_use]
pub fn trailers_frame(trailers: &HeaderMap) -> Bytes {
    let mut names: Vec<&HeaderName> = trailers.keys().collect();
    names.sort_by_key(|name| name.as_str());
    let mut frame = vec![TRAILERS, 0, 0, 0, 0];
    for name in names {
        for value in trailers.get_all(name) {
            frame.extend_from_slice(name.as_str().as_bytes());
            frame.extend_from_slice(b": ");
            let readable = Some(value).filter(|_| name == MESSAGE).and_then(plain);
            frame.extend_from_slice(readable.as_ref().unwrap_or(value).as_bytes());
            frame.extend_from_slice(b"\r\n");
        }
    }
    let length = u32::try_from(frame.len() - PREFIX).unwrap_or(u32::MAX).to_be_bytes();
    frame[1..PREFIX].copy_from_slice(&length);
    frame.into()
}

/// A message as Go's server writes it: of what can be printed, only a percent sign is escaped.
fn plain(message: &HeaderValue) -> Option<HeaderValue> {
    let text = message.to_str().ok()?;
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.filter(|byte| (b' '..=b'~').contains(byte) && *byte != b'%') {
            Some(byte) => {
                plain.push(char::from(byte));
                plain.push_str(part.get(2..).unwrap_or_default());
            }
            None => {
                plain.push('%');
                plain.push_str(part);
            }
        }
    }
    HeaderValue::try_from(plain).ok()
}

fn wrong_verb(method: &Method) -> Response<Body> {
    let text = format!("invalid gRPC request method \"{method}\"\n");
    let body = Full::new(Bytes::from(text)).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static("POST"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(http::header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_however_they_are_cut() {
        let bytes = [0, 0, 0, 0, 2, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 7];
        for cut in 1..bytes.len() {
            let mut frames = Frames::default();
            bytes.chunks(cut).for_each(|part| frames.pass(part));
            assert_eq!(frames.whole(), 3, "{cut}");
            frames.end().expect("the last frame is whole");
        }
    }

    #[test]
    fn what_ends_within_a_frame_is_told_so() {
        let ended = |bytes: &[u8]| {
            let mut frames = Frames::default();
            frames.pass(bytes);
            frames.end().map_err(|status| status.message().to_owned())
        };
        assert_eq!(ended(b""), Err("EOF".into()));
        assert_eq!(ended(b"junk"), Err("EOF".into()));
        assert_eq!(ended(&[0, 0, 0, 0, 2, 7]), Err("unexpected EOF".into()));
        assert_eq!(ended(&[0, 0, 0, 0, 0]), Ok(()));
    }

    #[test]
    fn trailers_are_lines() {
        let mut trailers = HeaderMap::new();
        trailers.insert(STATUS, HeaderValue::from_static("5"));
        trailers.insert(MESSAGE, HeaderValue::from_static("not%20there%2520"));
        let frame = trailers_frame(&trailers);
        assert_eq!(&frame[..5], [0x80, 0, 0, 0, 46]);
        assert_eq!(&frame[5..], b"grpc-message: not there%2520\r\ngrpc-status: 5\r\n");
        for (written, shown) in [
            ("%5E.%7B8,32%7D$", "^.{8,32}$"),
            ("a%0Ab%C3%A9%7F", "a%0Ab%C3%A9%7F"),
            ("%257B%", "%257B%"),
            ("%+7%", "%+7%"),
        ] {
            assert_eq!(plain(&HeaderValue::from_static(written)).unwrap(), shown);
        }
    }

    /// A service that reads its request and says how that went, in its trailers.
    async fn reader(
        request: Request<tonic::body::Body>,
    ) -> Result<Response<tonic::body::Body>, std::convert::Infallible> {
        assert_eq!(request.headers()[CONTENT_TYPE], GRPC);
        Ok(match request.into_body().collect().await {
            Ok(_) => Response::new(tonic::body::Body::empty()),
            Err(status) => status.into_http(),
        })
    }

    #[tokio::test]
    async fn a_request_in_pieces_has_the_answer_of_one() {
        let ask = async |verb: &str, bytes: &'static [u8]| {
            let request = Request::builder().method(verb).body(Full::new(Bytes::from_static(bytes)));
            answer(tower::service_fn(reader), request.expect("a request")).await
        };
        let whole = ask("POST", &[0, 0, 0, 0, 0]).await;
        assert_eq!(whole.headers()[CONTENT_TYPE], GRPC_WEB);
        assert_eq!(whole.headers()[VARY], "Origin");
        assert!(whole.headers().get(STATUS).is_none());
        let broken = ask("POST", b"junk").await;
        assert_eq!(
            (&broken.headers()[STATUS], &broken.headers()[MESSAGE]),
            (&"2".parse().unwrap(), &"EOF".parse().unwrap())
        );
        assert_eq!(
            broken.headers()[ACCESS_CONTROL_EXPOSE_HEADERS],
            "Content-Type, Date, Grpc-Message, Grpc-Status, Vary, grpc-status, grpc-message"
        );
        assert_eq!(ask("OPTIONS", b"").await.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
