//! Repositories over HTTP or HTTPS, through the real `git http-backend`; and plain files, for chart repositories.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::accept::Accepting;
use crate::cgi;
use crate::error::Error;
use crate::http::{self, Request};
use crate::tls::certificate;

const SILENCE_LIMIT: Duration = Duration::from_secs(30);
const CONNECTION_LIMIT: usize = 64;
/// How many requests are remembered.
const RECORD_LIMIT: usize = 10_000;

/// How a server is to be. The default is plain HTTP, open to all, read only.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Who is let in, with what password. Without this nobody is asked, and nobody may push.
    pub basic_auth: Option<(String, String)>,
    /// Speak TLS, with a certificate of an authority made for this server.
    pub tls: bool,
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct GitHttp {
    shared: Arc<Shared>,
    _accepting: Accepting,
    authority: Option<String>,
    /// The loopback port.
    pub port: u16,
}

#[derive(Debug)]
struct Shared {
    root: PathBuf,
    /// Files as they lie, instead of repositories.
    files: bool,
    basic_auth: Option<(String, String)>,
    tls: Option<Arc<ServerConfig>>,
    failing: AtomicBool,
    requests: Mutex<Vec<String>>,
    authorized: Mutex<Vec<String>>,
}

impl GitHttp {
    /// Serves every repository under `root`: `<root>/<name>.git` is at `url("<name>.git")`.
    pub fn serve(root: &Path, options: &Options) -> Result<Self, Error> {
        Self::start(root, options, false)
    }

    /// Serves the files under `root` as they lie. `x.redirect` beside nothing called `x` holds the address that
    /// questions for `x` are sent on to.
    pub fn serve_files(root: &Path, options: &Options) -> Result<Self, Error> {
        Self::start(root, options, true)
    }

    fn start(root: &Path, options: &Options, files: bool) -> Result<Self, Error> {
        let (tls, authority) = if options.tls {
            let (config, authority) = certificate()?;
            (Some(Arc::new(config)), Some(authority))
        } else {
            (None, None)
        };
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            files,
            basic_auth: options.basic_auth.clone(),
            tls,
            failing: AtomicBool::new(false),
            requests: Mutex::default(),
            authorized: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        let accepting = Accepting::start(CONNECTION_LIMIT, move |stream| {
            // A client that goes away in the middle is its own affair.
            serving.connection(stream).ok();
        })?;
        Ok(Self { shared, authority, port: accepting.port, _accepting: accepting })
    }

    /// The address of a path, such as `apps.git`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}/{path}", self.port)
    }

    /// The certificate of the authority to trust, as PEM, when the server speaks TLS.
    #[must_use]
    pub fn certificate_authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The requests so far, as `GET /apps.git/info/refs?service=git-upload-pack`.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Those of the requests that brought credentials, whether or not they were asked for.
    #[must_use]
    pub fn authorized(&self) -> Vec<String> {
        self.shared.authorized.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on every answer is `503`, or no longer.
    pub fn set_failing(&self, failing: bool) {
        self.shared.failing.store(failing, Ordering::Relaxed);
    }
}

impl Shared {
    fn connection(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(SILENCE_LIMIT))?;
        stream.set_write_timeout(Some(SILENCE_LIMIT))?;
        let Some(config) = &self.tls else {
            let mut reader = BufReader::new(Duplex(stream));
            self.exchange(&mut reader)?;
            return reader.get_ref().0.shutdown(Shutdown::Write);
        };
        let session = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        let mut reader = BufReader::new(Duplex(StreamOwned::new(session, stream)));
        self.exchange(&mut reader)?;
        let secured = &mut reader.get_mut().0;
        secured.conn.send_close_notify();
        secured.flush()
    }

    fn exchange<S: Read + Write>(&self, stream: &mut BufReader<Duplex<S>>) -> io::Result<()> {
        let Some(request) = Request::read(&mut Joined(stream))? else { return Ok(()) };
        self.record(&request);
        let out = stream.get_mut();
        if self.failing.load(Ordering::Relaxed) {
            return refuse(out, "503 Service Unavailable", &[]);
        }
        let user = match &self.basic_auth {
            None => None,
            Some((user, password)) if admitted(&request, user, password) => Some(user.as_str()),
            Some(_) => {
                let challenge = ("WWW-Authenticate".to_owned(), "Basic realm=\"git\"".to_owned());
                return refuse(out, "401 Unauthorized", &[challenge]);
            }
        };
        if self.files { self.file(&request.path, out) } else { cgi::run(&self.root, request, user, out) }
    }

    fn file(&self, path: &str, out: &mut impl Write) -> io::Result<()> {
        let inside = path.trim_start_matches('/');
        if inside.split('/').any(|part| part == "..") {
            return refuse(out, "400 Bad Request", &[]);
        }
        let path = self.root.join(inside);
        if let Ok(mut file) = std::fs::File::open(&path)
            && path.is_file()
        {
            return http::answer(out, "200 OK", &[], &mut file);
        }
        match std::fs::read_to_string(self.root.join(format!("{inside}.redirect"))) {
            Ok(to) => refuse(out, "302 Found", &[("Location".to_owned(), to.trim().to_owned())]),
            Err(_) => refuse(out, "404 Not Found", &[]),
        }
    }

    fn record(&self, request: &Request) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() < RECORD_LIMIT {
            let separator = if request.query.is_empty() { "" } else { "?" };
            let line = format!("{} {}{separator}{}", request.method, request.path, request.query);
            if request.header("authorization").is_some() {
                self.authorized.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
            }
            requests.push(line);
        }
    }
}

fn refuse(out: &mut impl Write, status: &str, headers: &[(String, String)]) -> io::Result<()> {
    http::answer(out, status, headers, &mut io::empty())
}

fn admitted(request: &Request, user: &str, password: &str) -> bool {
    let wanted = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    request.header("authorization") == Some(wanted.as_str())
}

/// Both directions of one stream, so that it can sit inside a buffered reader.
struct Duplex<S>(S);

impl<S: Read> Read for Duplex<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl<S: Write> Write for Duplex<S> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.0.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Reads through the buffer, writes past it.
struct Joined<'a, S>(&'a mut BufReader<Duplex<S>>);

impl<S: Read> Read for Joined<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl<S: Read> io::BufRead for Joined<'_, S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl<S: Read + Write> Write for Joined<'_, S> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.0.get_mut().write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.get_mut().flush()
    }
}
