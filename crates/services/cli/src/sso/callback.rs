//! The server that a browser comes back to: on loopback, for one login.

use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use oidc::Tokens;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::page;

/// A browser that has not said what it wants by then is closed.
const HEADERS: Duration = Duration::from_secs(10);
/// The last page has this long to get to the browser.
const FAREWELL: Duration = Duration::from_secs(2);

/// What came of a login.
pub(super) enum Answer {
    /// It brought these.
    Tokens(Tokens),
    /// It failed, for a reason.
    Failed(String),
}

/// A browser's question, and how to answer it.
struct Question {
    uri: Uri,
    reply: tokio::sync::oneshot::Sender<(StatusCode, &'static str)>,
}

/// The server, listening.
pub(super) struct Callback {
    listeners: Vec<TcpListener>,
}

impl Callback {
    /// Listens on `localhost`, in both of its families where there are two.
    pub(super) async fn listen(port: u16) -> std::io::Result<Self> {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let mut listeners = vec![first];
        if let Ok(second) = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            listeners.push(second);
        }
        Ok(Self { listeners })
    }

    /// Serves until a browser brings the answer to the login with this state.
    pub(super) async fn finish(
        self,
        state: &str,
        exchange: impl AsyncFnOnce(String) -> Result<Tokens, String>,
    ) -> Answer {
        let (ask, mut questions) = mpsc::channel(1);
        let ask = Arc::new(Mutex::new(Some(ask)));
        // Every connection holds a sender: when all are gone, so is the last page.
        let (open, mut closed) = mpsc::channel::<()>(1);
        let mut listening = tokio::task::JoinSet::new();
        for listener in self.listeners {
            listening.spawn(accept(listener, ask.clone(), open.clone()));
        }
        drop(open);
        let Some(Question { uri, reply }) = questions.recv().await else {
            return Answer::Failed("the temporary HTTP server ended".into());
        };
        // One answer is all there is to a login: from now on nothing more is heard.
        ask.lock().unwrap_or_else(PoisonError::into_inner).take();
        let answer = match code(&uri, state) {
            Ok(code) => exchange(code).await.map_or_else(Answer::Failed, Answer::Tokens),
            Err(reason) => Answer::Failed(reason),
        };
        let shown = match &answer {
            Answer::Tokens(_) => (StatusCode::OK, page::DONE),
            Answer::Failed(_) => (StatusCode::BAD_REQUEST, page::FAILED),
        };
        // A browser that is gone needs no page.
        let _ = reply.send(shown);
        listening.shutdown().await;
        let _ = tokio::time::timeout(FAREWELL, closed.recv()).await;
        answer
    }
}

type Asking = Arc<Mutex<Option<mpsc::Sender<Question>>>>;

/// Takes connections until the login has its answer.
async fn accept(listener: TcpListener, ask: Asking, open: mpsc::Sender<()>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, ask.clone(), open.clone()));
    }
}

fn sender(ask: &Asking) -> Option<mpsc::Sender<Question>> {
    ask.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

async fn serve(stream: TcpStream, ask: Asking, _open: mpsc::Sender<()>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let ask = ask.clone();
        async move { Ok::<_, Infallible>(answer(&request, &ask).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADERS).keep_alive(false);
    // What a browser breaks off is its own affair.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: &Request<Incoming>, ask: &Asking) -> Response<Full<Bytes>> {
    let nothing = (StatusCode::NOT_FOUND, page::NOTHING);
    let wanted = request.method() == Method::GET && request.uri().path() == "/auth/callback";
    let shown = match sender(ask).filter(|_| wanted) {
        None => nothing,
        Some(sender) => {
            let (reply, shown) = tokio::sync::oneshot::channel();
            let question = Question { uri: request.uri().clone(), reply };
            match sender.try_send(question) {
                Ok(()) => shown.await.unwrap_or(nothing),
                Err(_) => nothing,
            }
        }
    };
    let kind = if shown.0 == StatusCode::NOT_FOUND { "text/plain" } else { "text/html" };
    Response::builder()
        .status(shown.0)
        .header(header::CONTENT_TYPE, format!("{kind}; charset=utf-8"))
        .header("x-content-type-options", "nosniff")
        .header("content-security-policy", "default-src 'none'")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Full::new(Bytes::from_static(shown.1.as_bytes())))
        .expect("the headers are well formed")
}

/// The code in a browser's question, when it answers our login.
fn code(uri: &Uri, state: &str) -> Result<String, String> {
    let query = uri.query().unwrap_or_default();
    let value = |wanted: &str| {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs
            .into_iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let error = value("error");
    if !error.is_empty() {
        // It goes to a terminal, which obeys control characters.
        let plain =
            |text: String| text.chars().filter(|letter| !letter.is_control()).take(500).collect::<String>();
        return Err(format!("{}: {}", plain(error), plain(value("error_description"))));
    }
    if value("state") != state {
        return Err("Unknown state nonce".into());
    }
    match value("code") {
        code if code.is_empty() => Err("no code in request".into()),
        code => Ok(code),
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Callback, code, page};
    use oidc::Tokens;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    #[test]
    fn only_the_answer_to_our_login_counts() {
        let of = |query: &str| code(&format!("/auth/callback?{query}").parse().unwrap(), "s");
        assert_eq!(of("code=c%20d&state=s").as_deref(), Ok("c d"));
        assert_eq!(of("code=c&state=t").unwrap_err(), "Unknown state nonce");
        assert_eq!(of("code=c").unwrap_err(), "Unknown state nonce");
        assert_eq!(of("state=s").unwrap_err(), "no code in request");
        assert_eq!(of("error=access_denied&error_description=no%1b[2J").unwrap_err(), "access_denied: no[2J");
    }

    async fn ask(port: u16, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn cve_2021_23347_no_page_repeats_what_was_asked() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let callback = Callback::listen(free).await.unwrap();
        let attack = "/auth/callback?error=%3Cscript%3Ealert(1)%3C/script%3E&error_description=%3Cb%3E";
        let browse = async {
            assert!(ask(free, "/%3Cscript%3E").await.starts_with("HTTP/1.1 404"));
            ask(free, attack).await
        };
        let exchange = async |_: String| Ok(Tokens::default());
        let (answer, shown) = tokio::join!(callback.finish("s", exchange), browse);
        assert!(matches!(answer, Answer::Failed(reason) if reason.contains("<script>")));
        assert!(shown.starts_with("HTTP/1.1 400") && shown.contains(page::FAILED), "{shown}");
        assert!(!shown.contains("script") && !shown.contains("<b>"), "{shown}");
    }

    #[tokio::test]
    async fn a_login_ends_with_its_code() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let callback = Callback::listen(free).await.unwrap();
        let exchange = async |code: String| {
            assert_eq!(code, "c");
            Ok(Tokens::default())
        };
        let browse = ask(free, "/auth/callback?code=c&state=s");
        let (answer, shown) = tokio::join!(callback.finish("s", exchange), browse);
        assert!(matches!(answer, Answer::Tokens(_)));
        assert!(shown.contains(page::DONE), "{shown}");
    }
}
