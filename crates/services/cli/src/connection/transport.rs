//! Requests on their way: gRPC over HTTP/2, or gRPC-web over HTTP/1.1, with the token and the user's headers.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tonic::body::Body;
use tonic::transport::Channel;
use tonic_web::GrpcWebClientService;
use tower::{Service, ServiceExt};

use super::Target;
use super::dial::Connector;

type Failed = Box<dyn Error + Send + Sync>;
type WebClient = GrpcWebClientService<Named<Client<Connector, tonic_web::GrpcWebCall<Body>>>>;

/// The only content type that API servers take for gRPC-web.
const WEB: HeaderValue = HeaderValue::from_static("application/grpc-web+proto");

/// Sends requests under the content type that API servers know.
#[derive(Clone)]
struct Named<C>(C);

impl<C: Service<Request<B>>, B> Service<Request<B>> for Named<C> {
    type Response = C::Response;
    type Error = C::Error;
    type Future = C::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> C::Future {
        request.headers_mut().insert(http::header::CONTENT_TYPE, WEB);
        self.0.call(request)
    }
}

/// Sends requests to one server.
#[derive(Clone)]
pub(crate) struct Transport {
    headers: HeaderMap,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Http2(Channel),
    Web { client: Box<WebClient>, base: String },
}

impl Transport {
    /// gRPC over `channel`.
    pub(crate) fn http2(target: &Target, channel: Channel) -> Result<Self, String> {
        Ok(Self { headers: headers(target)?, way: Way::Http2(channel) })
    }

    /// gRPC-web.
    pub(crate) fn web(target: &Target) -> Result<Self, String> {
        let client = Client::builder(TokioExecutor::new()).build(Connector::new(target, b"http/1.1")?);
        let root = target.grpc_web_root_path.trim_matches('/');
        let scheme = if target.plain_text { "http" } else { "https" };
        let base = match root {
            "" => format!("{scheme}://{}", target.address),
            root => format!("{scheme}://{}/{root}", target.address),
        };
        let mut headers = headers(target)?;
        let agent = HeaderValue::from_str(&Target::user_agent()).map_err(|error| error.to_string())?;
        headers.insert(http::header::USER_AGENT, agent);
        Ok(Self {
            headers,
            way: Way::Web { client: Box::new(GrpcWebClientService::new(Named(client))), base },
        })
    }
}

fn headers(target: &Target) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &target.headers {
        let name: HeaderName = name.parse().map_err(|_| format!("invalid header name {name:?}"))?;
        headers.append(name, value.parse().map_err(|_| format!("invalid value of header {value:?}"))?);
    }
    if !target.token.is_empty() {
        let mut token: HeaderValue =
            target.token.parse().map_err(|_| "the token holds control characters")?;
        token.set_sensitive(true);
        headers.insert("token", token);
    }
    Ok(headers)
}

impl Service<Request<Body>> for Transport {
    type Response = Response<Body>;
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Failed>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        for (name, value) in &self.headers {
            request.headers_mut().append(name.clone(), value.clone());
        }
        match self.way.clone() {
            Way::Http2(channel) => Box::pin(async move { Ok(channel.oneshot(request).await?) }),
            Way::Web { client, base } => Box::pin(async move {
                let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
                *request.uri_mut() = format!("{base}{path}").parse::<Uri>()?;
                Ok((*client).oneshot(request).await?.map(Body::new))
            }),
        }
    }
}
