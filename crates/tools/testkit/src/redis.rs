//! A private Redis that can be killed, restarted and emptied.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::error::Error;
use crate::leash::Leash;
use crate::wait::{free_port, poll};

const PROGRAM: &str = "redis-server";
const START_LIMIT: Duration = Duration::from_secs(10);
const REPLY_LIMIT: Duration = Duration::from_secs(5);
const REPLY_BYTES: u64 = 1 << 20;
/// A free port may be taken before Redis is there.
const ATTEMPTS: usize = 5;

/// A running `redis-server` that keeps nothing on disk. Dropping it kills it.
#[derive(Debug)]
pub struct Redis {
    leash: Option<Leash>,
    folder: TempDir,
    password: Option<String>,
    /// The loopback port, which stays the same over restarts.
    pub port: u16,
}

impl Redis {
    /// Starts a server without a password on a free loopback port.
    pub fn start() -> Result<Self, Error> {
        Self::start_with(None)
    }

    /// Starts a server that asks for a password.
    pub fn start_with_password(password: &str) -> Result<Self, Error> {
        Self::start_with(Some(password.to_owned()))
    }

    fn start_with(password: Option<String>) -> Result<Self, Error> {
        installed()?;
        let folder = tempfile::Builder::new()
            .prefix("argocd-rs-redis-")
            .tempdir()
            .map_err(Error::tried("make a folder for Redis"))?;
        let mut redis = Self { leash: None, folder, password, port: 0 };
        for attempt in 1.. {
            redis.port = free_port().map_err(Error::tried("find a free port"))?;
            match redis.restart() {
                Err(_) if attempt < ATTEMPTS => {}
                other => {
                    other?;
                    break;
                }
            }
        }
        Ok(redis)
    }

    /// `127.0.0.1:<port>`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The address as clients take it, with the password when there is one.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.password {
            Some(password) => format!("redis://:{password}@{}/", self.address()),
            None => format!("redis://{}/", self.address()),
        }
    }

    /// Kills the server as the kernel would: no goodbye to anyone.
    pub fn kill(&mut self) {
        self.leash = None;
    }

    /// Starts the server again, empty, on the same port; kills the running one first.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.kill();
        let leash = Leash::start(PROGRAM, &self.arguments(), &self.log())?;
        let mut last = String::new();
        let ready = poll(START_LIMIT, || {
            if !leash.alive() {
                return Some(false);
            }
            match self.command(&["INFO", "server"]) {
                // Whoever else may listen here is not our child.
                Ok(reply) if reply.contains(&format!("process_id:{}\r", leash.pid)) => Some(true),
                Ok(reply) => {
                    last = reply;
                    None
                }
                Err(error) => {
                    last = error.to_string();
                    None
                }
            }
        });
        match ready {
            Some(true) => {
                self.leash = Some(leash);
                Ok(())
            }
            Some(false) => Err(Error::Failed {
                program: PROGRAM.into(),
                output: std::fs::read_to_string(self.log()).unwrap_or_default(),
            }),
            None => Err(Error::NotReady { part: "Redis", seconds: START_LIMIT.as_secs(), last }),
        }
    }

    /// Removes every key.
    pub fn flush(&self) -> Result<(), Error> {
        let reply = self.command(&["FLUSHALL"]).map_err(Error::tried("flush Redis"))?;
        if reply.starts_with('+') {
            return Ok(());
        }
        Err(Error::Failed { program: "flush Redis".into(), output: reply })
    }

    /// Sends one command and returns the reply as on the wire.
    pub fn command(&self, words: &[&str]) -> io::Result<String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect_timeout(&address, REPLY_LIMIT)?;
        stream.set_read_timeout(Some(REPLY_LIMIT))?;
        stream.set_write_timeout(Some(REPLY_LIMIT))?;
        let mut reader = BufReader::new(stream.try_clone()?.take(REPLY_BYTES));
        if let Some(password) = &self.password {
            stream.write_all(encode(&["AUTH", password]).as_bytes())?;
            read_reply(&mut reader)?;
        }
        stream.write_all(encode(words).as_bytes())?;
        read_reply(&mut reader)
    }

    /// Every key with its value, as bytes. Keys of other types than text are left out.
    pub fn contents(&self) -> io::Result<BTreeMap<String, Vec<u8>>> {
        let mut contents = BTreeMap::new();
        let (mut stream, mut reader) = self.connect()?;
        stream.write_all(encode(&["KEYS", "*"]).as_bytes())?;
        let head = read_line(&mut reader)?;
        let count: usize = head.strip_prefix('*').and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        let mut keys = Vec::new();
        for _ in 0..count {
            keys.push(String::from_utf8_lossy(&read_bulk(&mut reader)?.unwrap_or_default()).into_owned());
        }
        for key in keys {
            stream.write_all(encode(&["GET", &key]).as_bytes())?;
            if let Some(value) = read_bulk(&mut reader)? {
                contents.insert(key, value);
            }
        }
        Ok(contents)
    }

    fn connect(&self) -> io::Result<(TcpStream, BufReader<TcpStream>)> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect_timeout(&address, REPLY_LIMIT)?;
        stream.set_read_timeout(Some(REPLY_LIMIT))?;
        stream.set_write_timeout(Some(REPLY_LIMIT))?;
        let mut reader = BufReader::new(stream.try_clone()?);
        if let Some(password) = &self.password {
            stream.write_all(encode(&["AUTH", password]).as_bytes())?;
            read_line(&mut reader)?;
        }
        Ok((stream, reader))
    }

    fn arguments(&self) -> Vec<String> {
        let port = self.port.to_string();
        let folder = self.folder.path().display().to_string();
        let mut arguments: Vec<String> = ["--bind", "127.0.0.1", "--port", &port, "--dir", &folder]
            .into_iter()
            .chain(["--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning"])
            .map(str::to_owned)
            .collect();
        if let Some(password) = &self.password {
            arguments.extend(["--requirepass".to_owned(), password.clone()]);
        }
        arguments
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

fn installed() -> Result<(), Error> {
    let found = Command::new(PROGRAM).arg("--version").stdout(Stdio::null()).status();
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::Missing {
            program: PROGRAM,
            hint: "install the Debian package redis-server (apt-get install redis-server)",
        }),
        other => other.map(drop).map_err(Error::tried(format!("run {PROGRAM}"))),
    }
}

fn encode(words: &[&str]) -> String {
    let mut text = format!("*{}\r\n", words.len());
    for word in words {
        text.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    text
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    if reader.read_line(&mut head)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(head)
}

/// One bulk string; nothing for a key that is gone or of another type.
fn read_bulk(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let head = read_line(reader)?;
    let Some(length) = head.strip_prefix('$').and_then(|text| text.trim().parse::<u64>().ok()) else {
        return Ok(None);
    };
    let mut body = Vec::new();
    reader.take(length + 2).read_to_end(&mut body)?;
    body.truncate(body.len().saturating_sub(2));
    Ok(Some(body))
}

/// Reads a simple reply or one bulk string; an array is returned by its head only.
fn read_reply(reader: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    if reader.read_line(&mut head)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if let Some(length) = head.strip_prefix('$').and_then(|text| text.trim().parse::<u64>().ok()) {
        let mut body = Vec::new();
        reader.take(length + 2).read_to_end(&mut body)?;
        return Ok(String::from_utf8_lossy(&body).into_owned());
    }
    Ok(head)
}
