//! A mail server that keeps what it is given: plain, with STARTTLS or TLS from the start, and with passwords.

use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::accept::Accepting;
use crate::error::Error;
use crate::http::line;
use crate::tls::certificate;

const SILENCE_LIMIT: Duration = Duration::from_secs(30);
/// Lines of one message.
const MESSAGE_LINES: usize = 10_000;

/// How it speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// Not encrypted, and offers nothing else.
    #[default]
    None,
    /// Plain, with STARTTLS on offer.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// How it is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Encryption.
    pub encryption: Encryption,
    /// Who may send; everybody without, and nobody is asked who they are.
    pub login: Option<(String, String)>,
}

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Headers and body as they came, with dots unstuffed.
    pub data: String,
    /// Whether it came encrypted.
    pub encrypted: bool,
    /// Who sent it, when somebody logged in.
    pub login: Option<String>,
}

/// A running server. Dropping it stops it. Recipients that begin with `reject` are refused.
#[derive(Debug)]
pub struct SmtpSink {
    shared: Arc<Shared>,
    _accepting: Accepting,
    authority: String,
    /// The loopback port.
    pub port: u16,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    tls: Arc<ServerConfig>,
    mails: Mutex<Vec<Mail>>,
    commands: Mutex<Vec<String>>,
}

impl SmtpSink {
    /// Starts one on a free port.
    pub fn start(options: Options) -> Result<Self, Error> {
        let (tls, authority) = certificate()?;
        let shared = Arc::new(Shared {
            options,
            tls: Arc::new(tls),
            mails: Mutex::default(),
            commands: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        let accepting = Accepting::start(usize::MAX, move |stream| {
            // A client that goes away in the middle is its own affair.
            serving.connection(stream).ok();
        })?;
        Ok(Self { shared, authority, port: accepting.port, _accepting: accepting })
    }

    /// The authority that vouches for its certificate, as PEM.
    #[must_use]
    pub fn certificate_authority(&self) -> &str {
        &self.authority
    }

    /// What was taken so far.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.shared.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What clients said so far, passwords included.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.shared.commands.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How a conversation ended.
#[derive(PartialEq, Eq)]
enum End {
    Quit,
    StartTls,
}

/// What is known of a client.
#[derive(Default)]
struct Session {
    encrypted: bool,
    login: Option<String>,
    from: String,
    to: Vec<String>,
}

impl Shared {
    fn connection(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(SILENCE_LIMIT))?;
        stream.set_write_timeout(Some(SILENCE_LIMIT))?;
        let session = || ServerConnection::new(Arc::clone(&self.tls)).map_err(io::Error::other);
        if self.options.encryption == Encryption::Tls {
            return self.secured(StreamOwned::new(session()?, stream), true);
        }
        if self.talk(&mut stream, &mut Session::default(), true)? == End::StartTls {
            return self.secured(StreamOwned::new(session()?, stream), false);
        }
        Ok(())
    }

    fn secured(&self, mut stream: StreamOwned<ServerConnection, TcpStream>, greet: bool) -> io::Result<()> {
        self.talk(&mut stream, &mut Session { encrypted: true, ..Session::default() }, greet)?;
        stream.conn.send_close_notify();
        stream.flush()
    }

    fn talk(&self, stream: &mut (impl Read + Write), session: &mut Session, greet: bool) -> io::Result<End> {
        let mut stream = Stream { inner: stream, byte: [0], filled: 0 };
        if greet {
            say(&mut stream, "220 sink.example ESMTP")?;
        }
        loop {
            let text = line(&mut stream)?;
            self.commands.lock().unwrap_or_else(PoisonError::into_inner).push(text.clone());
            let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
            match word.to_ascii_uppercase().as_str() {
                "" | "QUIT" => {
                    say(&mut stream, "221 bye")?;
                    return Ok(End::Quit);
                }
                "EHLO" | "HELO" => {
                    say(&mut stream, "250-sink.example")?;
                    if self.options.encryption == Encryption::StartTls && !session.encrypted {
                        say(&mut stream, "250-STARTTLS")?;
                    }
                    if self.options.login.is_some() {
                        say(&mut stream, "250-AUTH PLAIN LOGIN")?;
                    }
                    say(&mut stream, "250 8BITMIME")?;
                }
                "STARTTLS" if self.options.encryption == Encryption::StartTls && !session.encrypted => {
                    say(&mut stream, "220 go")?;
                    return Ok(End::StartTls);
                }
                "AUTH" => self.auth(&mut stream, session, rest)?,
                "MAIL" if self.options.login.is_some() && session.login.is_none() => {
                    say(&mut stream, "530 authentication required")?;
                }
                "MAIL" => {
                    session.from = address(rest);
                    say(&mut stream, "250 ok")?;
                }
                "RCPT" if address(rest).starts_with("reject") => say(&mut stream, "550 no such user")?,
                "RCPT" => {
                    session.to.push(address(rest));
                    say(&mut stream, "250 ok")?;
                }
                "DATA" => self.data(&mut stream, session)?,
                _ => say(&mut stream, "502 what?")?,
            }
        }
    }

    fn auth(&self, stream: &mut (impl BufRead + Write), session: &mut Session, rest: &str) -> io::Result<()> {
        let decoded = |text: &str| {
            String::from_utf8_lossy(&STANDARD.decode(text.trim()).unwrap_or_default()).into_owned()
        };
        let (user, password) = match rest.split_once(' ') {
            Some(("PLAIN", text)) => {
                let text = decoded(text);
                let mut parts = text.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            _ => {
                say(stream, "334 VXNlcm5hbWU6")?;
                let user = decoded(&line(stream)?);
                say(stream, "334 UGFzc3dvcmQ6")?;
                (user, decoded(&line(stream)?))
            }
        };
        let admitted = self.options.login.as_ref().is_none_or(|known| *known == (user.clone(), password));
        if !admitted {
            return say(stream, "535 wrong password");
        }
        session.login = Some(user);
        say(stream, "235 ok")
    }

    fn data(&self, stream: &mut (impl BufRead + Write), session: &mut Session) -> io::Result<()> {
        say(stream, "354 go")?;
        let mut data = String::new();
        for _ in 0..MESSAGE_LINES {
            let text = line(stream)?;
            if text == "." {
                break;
            }
            data.push_str(text.strip_prefix('.').unwrap_or(&text));
            data.push('\n');
        }
        let mail = Mail {
            from: std::mem::take(&mut session.from),
            to: std::mem::take(&mut session.to),
            data,
            encrypted: session.encrypted,
            login: session.login.clone(),
        };
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
        say(stream, "250 queued")
    }
}

fn say(stream: &mut impl Write, text: &str) -> io::Result<()> {
    stream.write_all(format!("{text}\r\n").as_bytes())?;
    stream.flush()
}

/// What stands between angle brackets.
fn address(text: &str) -> String {
    let inner = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(text, |(address, _)| address).to_owned()
}

/// A stream that is read by lines and written to. It reads no byte too many: after STARTTLS, what comes is not for it.
struct Stream<'s, S> {
    inner: &'s mut S,
    byte: [u8; 1],
    filled: usize,
}

impl<S: Read> Read for Stream<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let size = available.len().min(into.len());
        into[..size].copy_from_slice(&available[..size]);
        self.consume(size);
        Ok(size)
    }
}

impl<S: Read> BufRead for Stream<'_, S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.filled == 0 {
            self.filled = self.inner.read(&mut self.byte)?;
        }
        Ok(&self.byte[..self.filled])
    }

    fn consume(&mut self, amount: usize) {
        self.filled -= amount;
    }
}

impl<S: Write> Write for Stream<'_, S> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.inner.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
