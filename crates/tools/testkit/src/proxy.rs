//! A proxy on loopback that speaks HTTP (`CONNECT` and whole addresses) and SOCKS5, and remembers where it led.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::accept::Accepting;
use crate::error::Error;

const SILENCE_LIMIT: Duration = Duration::from_secs(30);
const HEAD_LIMIT: usize = 64 << 10;

/// A running proxy. Dropping it stops it.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    _accepting: Accepting,
    /// The loopback port.
    pub port: u16,
}

#[derive(Debug)]
struct Shared {
    user: Option<(String, String)>,
    led: Mutex<Vec<String>>,
}

impl Proxy {
    /// Leads whoever has the user and password, where there are some, to the port they ask for on loopback, whatever host
    /// they name.
    pub fn serve(user: Option<(&str, &str)>) -> Result<Self, Error> {
        let user = user.map(|(name, password)| (name.to_owned(), password.to_owned()));
        let shared = Arc::new(Shared { user, led: Mutex::default() });
        let serving = Arc::clone(&shared);
        let accepting = Accepting::start(usize::MAX, move |stream| serve(stream, &serving))?;
        Ok(Self { shared, port: accepting.port, _accepting: accepting })
    }

    /// Its address in a scheme such as `http` or `socks5`, with the user and password in it.
    #[must_use]
    pub fn url(&self, scheme: &str) -> String {
        let user = self.shared.user.as_ref().map(|(name, password)| format!("{name}:{password}@"));
        format!("{scheme}://{}127.0.0.1:{}", user.unwrap_or_default(), self.port)
    }

    /// Where it led, as `CONNECT host:port`, `GET host:port` or `SOCKS host:port`, and `refused` for whom it led nowhere.
    #[must_use]
    pub fn led(&self) -> Vec<String> {
        self.shared.led.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(mut near: TcpStream, shared: &Shared) {
    near.set_read_timeout(Some(SILENCE_LIMIT)).ok();
    let mut first = [0];
    if near.peek(&mut first).unwrap_or(0) == 0 {
        return;
    }
    let connected = if first == [5] { socks(&mut near, shared) } else { http(&mut near, shared) };
    let Ok(Some(far)) = connected else { return };
    far.set_read_timeout(Some(SILENCE_LIMIT)).ok();
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut from, mut to) = (&near, &far);
            io::copy(&mut from, &mut to).ok();
            far.shutdown(Shutdown::Write).ok();
        });
        let (mut from, mut to) = (&far, &near);
        io::copy(&mut from, &mut to).ok();
        near.shutdown(Shutdown::Both).ok();
    });
}

fn http(near: &mut TcpStream, shared: &Shared) -> io::Result<Option<TcpStream>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_LIMIT {
        let mut byte = [0];
        near.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let (line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let wanted = shared.user.as_ref().map(|(name, password)| STANDARD.encode(format!("{name}:{password}")));
    let given = headers.lines().find_map(|header| {
        let (name, value) = header.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization")
            .then(|| value.trim_start_matches("Basic ").to_owned())
    });
    if wanted.is_some() && wanted != given {
        note(shared, "refused".into());
        near.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
        return Ok(None);
    }
    let (address, path) = if method == "CONNECT" {
        (target, "")
    } else {
        let rest = target.strip_prefix("http://").unwrap_or(target);
        rest.split_at(rest.find('/').unwrap_or(rest.len()))
    };
    note(shared, format!("{method} {address}"));
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(80);
    let mut far = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    if method == "CONNECT" {
        near.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    } else {
        far.write_all(format!("{method} {path} HTTP/1.1\r\n{headers}").as_bytes())?;
    }
    Ok(Some(far))
}

fn socks(near: &mut TcpStream, shared: &Shared) -> io::Result<Option<TcpStream>> {
    let methods = counted(near, 1)?;
    let method = if shared.user.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        note(shared, "refused".into());
        near.write_all(&[5, 255])?;
        return Ok(None);
    }
    near.write_all(&[5, method])?;
    if let Some((name, password)) = &shared.user {
        let given = (counted(near, 1)?, counted(near, 0)?);
        let right = given == (name.clone().into_bytes(), password.clone().into_bytes());
        near.write_all(&[1, u8::from(!right)])?;
        if !right {
            note(shared, "refused".into());
            return Ok(None);
        }
    }
    let host = String::from_utf8_lossy(&counted(near, 4)?).into_owned();
    let mut port = [0; 2];
    near.read_exact(&mut port)?;
    let port = u16::from_be_bytes(port);
    note(shared, format!("SOCKS {host}:{port}"));
    let far = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
    near.write_all(&[5, if far.is_ok() { 0 } else { 5 }, 0, 1, 127, 0, 0, 1, 0, 0])?;
    far.map(Some)
}

/// What stands after so many bytes and a length.
fn counted(stream: &mut TcpStream, before: usize) -> io::Result<Vec<u8>> {
    let mut head = vec![0; before + 1];
    stream.read_exact(&mut head)?;
    let mut text = vec![0; head.last().copied().map_or(0, usize::from)];
    stream.read_exact(&mut text)?;
    Ok(text)
}

fn note(shared: &Shared, what: String) {
    shared.led.lock().unwrap_or_else(PoisonError::into_inner).push(what);
}
