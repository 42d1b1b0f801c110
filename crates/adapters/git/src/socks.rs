//! SSH through a SOCKS5 proxy. The connection to the remote is made here, before `ssh` starts, which then finds it on a
//! port of this machine: no other program is needed, and what the proxy says is known.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, ToSocketAddrs},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use url::Url;

use crate::{Cause, location::percent_decoded};
use object::Secret;

/// How often the port is looked at until `ssh` is there.
const WAIT_PAUSE: Duration = Duration::from_millis(5);

/// A connection to a remote that waits on a port of this machine. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Relay {
    /// The port; one connection is taken there.
    pub(crate) port: u16,
    upstream: TcpStream,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Where a proxy listens, and who is let in there.
struct Proxy {
    host: String,
    port: u16,
    user: Option<(String, Secret<String>)>,
}

impl Relay {
    /// Asks the proxy for a connection.
    pub(crate) fn to(proxy: &str, host: &str, port: u16, timeout: Duration) -> Result<Self, Cause> {
        let proxy = Proxy::parse(proxy)?;
        let shown = format!("{}:{}", proxy.host, proxy.port);
        let failed = |error: io::Error| {
            Cause::Unreachable(format!("ssh: proxy {shown}: connect to {host}:{port}: {error}"))
        };
        let upstream = proxy.connect(host, port, timeout).map_err(failed)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?.port();
        let stopped = Arc::new(AtomicBool::new(false));
        let (far, stop) = (upstream.try_clone().map_err(failed)?, stopped.clone());
        let thread = std::thread::spawn(move || serve(&listener, &far, &stop, timeout));
        Ok(Self { port: local, upstream, stopped, thread: Some(thread) })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Fails only when it is closed already.
        self.upstream.shutdown(Shutdown::Both).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn serve(listener: &TcpListener, far: &TcpStream, stopped: &AtomicBool, timeout: Duration) {
    let deadline = Instant::now() + timeout;
    while !stopped.load(Ordering::SeqCst) && Instant::now() < deadline {
        match listener.accept() {
            Ok((near, _)) => return pump(&near, far),
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(WAIT_PAUSE),
            Err(_) => return,
        }
    }
}

/// Copies both ways until the far side ends. What cannot be copied any more is over, for whatever reason.
fn pump(near: &TcpStream, far: &TcpStream) {
    near.set_nonblocking(false).ok();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut from, mut to) = (near, far);
            io::copy(&mut from, &mut to).ok();
            far.shutdown(Shutdown::Write).ok();
        });
        let (mut from, mut to) = (far, near);
        io::copy(&mut from, &mut to).ok();
        near.shutdown(Shutdown::Both).ok();
    });
}

impl Proxy {
    /// Reads an address as the original does for SSH.
    fn parse(text: &str) -> Result<Self, Cause> {
        let refused = |reason: String| Cause::Other(format!("unsafe proxy URL rejected: {reason}"));
        let url = Url::parse(text).map_err(|error| refused(format!("invalid proxy URL: {error}")))?;
        if !matches!(url.scheme(), "socks5" | "socks5h") {
            let scheme = url.scheme();
            return Err(refused(format!(
                "invalid proxy scheme {scheme:?}: only [socks5 socks5h] are supported"
            )));
        }
        let host =
            url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(refused("proxy URL has empty hostname".into()));
        }
        let port = url.port().filter(|port| *port > 0);
        let port = port.ok_or_else(|| refused("proxy URL has no port".into()))?;
        let user = (!url.username().is_empty()).then(|| {
            let password = percent_decoded(url.password().unwrap_or_default());
            (percent_decoded(url.username()), password.into())
        });
        Ok(Self { host, port, user })
    }

    fn connect(&self, host: &str, port: u16, timeout: Duration) -> io::Result<TcpStream> {
        let mut last = io::Error::other("the proxy's name means no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(mut stream) => {
                    stream.set_read_timeout(Some(timeout))?;
                    stream.set_write_timeout(Some(timeout))?;
                    self.ask(&mut stream, host, port)?;
                    stream.set_read_timeout(None)?;
                    stream.set_write_timeout(None)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Speaks RFC 1928, with user and password as in RFC 1929. The proxy looks the name up.
    fn ask(&self, stream: &mut TcpStream, host: &str, port: u16) -> io::Result<()> {
        let methods: &[u8] = if self.user.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] };
        stream.write_all(methods)?;
        match (answer::<2>(stream)?, &self.user) {
            ([5, 0], _) => {}
            ([5, 2], Some((user, password))) => {
                let parts = [&[1][..], &counted(user)?, &counted(password.reveal())?].concat();
                stream.write_all(&parts)?;
                if answer::<2>(stream)?[1] != 0 {
                    return Err(io::Error::other("user and password are refused"));
                }
            }
            ([5, _], _) => return Err(io::Error::other("it wants another way to be let in")),
            _ => return Err(io::Error::other("it does not speak SOCKS5")),
        }
        let request = [&[5, 1, 0, 3][..], &counted(host)?, &port.to_be_bytes()].concat();
        stream.write_all(&request)?;
        let [version, code, _, kind] = answer::<4>(stream)?;
        if version != 5 || code != 0 {
            return Err(io::Error::other(format!("it says no ({})", meaning(code))));
        }
        let address = match kind {
            1 => 4,
            4 => 16,
            3 => usize::from(answer::<1>(stream)?[0]),
            _ => return Err(io::Error::other("its answer has no address")),
        };
        let mut rest = vec![0; address + 2];
        stream.read_exact(&mut rest)
    }
}

fn answer<const LENGTH: usize>(stream: &mut TcpStream) -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A text with its length before it.
fn counted(text: &str) -> io::Result<Vec<u8>> {
    let length = u8::try_from(text.len()).map_err(|_| io::Error::other("a name has more than 255 bytes"))?;
    Ok([&[length], text.as_bytes()].concat())
}

/// Answers by number, RFC 1928.
fn meaning(code: u8) -> &'static str {
    match code {
        1 => "general failure",
        2 => "not allowed",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "time ran out",
        7 => "command not supported",
        8 => "address not supported",
        _ => "unknown answer",
    }
}

#[cfg(test)]
mod tests {
    use super::Proxy;

    #[test]
    fn only_addresses_of_socks_proxies_will_do() {
        let told = |text: &str| Proxy::parse(text).err().map(|error| error.to_string());
        assert_eq!(told("socks5://proxy.example:1080"), None);
        assert_eq!(told("socks5h://ann:pass@[::1]:1080"), None);
        for (text, part) in [
            (
                "http://proxy.example:3128",
                "invalid proxy scheme \"http\": only [socks5 socks5h] are supported",
            ),
            ("socks5://proxy.example", "proxy URL has no port"),
            ("socks5://:1080", "proxy URL"),
            ("proxy", "invalid proxy URL"),
        ] {
            let told = told(text).unwrap();
            assert!(told.contains("unsafe proxy URL rejected: ") && told.contains(part), "{told}");
        }
        let proxy = Proxy::parse("socks5://a%40b:p%3Aw@proxy.example:1080").ok().unwrap();
        let (user, password) = proxy.user.unwrap();
        assert_eq!((user.as_str(), password.reveal().as_str()), ("a@b", "p:w"));
    }
}
