//! A terminal while it is open. Who may type is asked again and again: before anything is typed, and every few seconds.

use super::request::Place;
use super::socket::Socket;
use super::{authenticated, permitted};
use crate::hub::Hub;
use futures::{SinkExt as _, StreamExt as _};
use kubernetes::{Cluster, Terminal};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::Message;

/// How often the browser is pinged and the permission looked at.
const BEAT: Duration = Duration::from_secs(5);
/// A browser that has not been heard of for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// A browser that does not take what is sent to it.
const SEND: Duration = Duration::from_secs(30);
/// Bytes of output that become one message.
const CHUNK: usize = 16 * 1024;
/// Nobody types more at a program that says nothing.
const MOST_BEFORE: usize = 1 << 20;
const DENIED: &str = "Permission denied";
const RECONNECT: &str = "\nReconnect because the token was refreshed...\n";

/// What a browser sends.
#[derive(Deserialize)]
struct Typed {
    operation: String,
    #[serde(default)]
    data: String,
    #[serde(default)]
    rows: u16,
    #[serde(default)]
    cols: u16,
}

/// What it gets.
#[derive(Serialize)]
struct Shown<'a> {
    operation: &'static str,
    data: &'a str,
    rows: u16,
    cols: u16,
}

/// Why a terminal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The program ended, or could not be started.
    Program,
    /// The browser went away, or said something else than it should.
    Browser,
    /// The permission was taken away.
    Denied,
    /// The session ended, or goes on with another token.
    Session,
}

/// What was done before a program said anything: if it was not there, the next one gets it.
#[derive(Default)]
struct Before {
    typed: Vec<u8>,
    window: Option<(u16, u16)>,
}

impl Before {
    /// Whether there is room for it.
    fn keep(&mut self, typed: &str) -> bool {
        self.typed.extend_from_slice(typed.as_bytes());
        self.typed.len() <= MOST_BEFORE
    }
}

/// A terminal that is to be opened.
pub(super) struct Session {
    hub: Arc<Hub>,
    token: Option<String>,
    place: Place,
    cluster: Cluster,
    user: String,
}

impl Session {
    pub(super) fn new(
        hub: Arc<Hub>,
        token: Option<String>,
        place: Place,
        cluster: Cluster,
        user: String,
    ) -> Self {
        Self { hub, token, place, cluster, user }
    }

    /// Runs until either side ends, or may not go on.
    pub(super) async fn run(self, mut socket: Socket) {
        let Place { application, pod, container, namespace, .. } = &self.place;
        let user = &self.user;
        tracing::info!(%application, %namespace, %pod, %container, %user, "a terminal was opened");
        let allowed = self.hub.snapshot().server.exec_shells.clone();
        let wanted = [self.place.shell.clone()];
        let shells = if allowed.contains(&wanted[0]) { &wanted[..] } else { &allowed[..] };
        let mut ended = End::Program;
        let mut before = Before::default();
        for (number, shell) in shells.iter().enumerate() {
            let last = number + 1 == shells.len();
            let command = [shell.clone()];
            let started = self.cluster.terminal(namespace, pod, container, &command).await;
            let Ok(terminal) = started else { continue };
            match self.attend(&mut socket, terminal, last, &mut before).await {
                // This shell is not there: the next one may be.
                None => {}
                Some(end) => {
                    ended = end;
                    break;
                }
            }
        }
        match ended {
            End::Denied => {
                send(&mut socket, shown(DENIED)).await;
            }
            End::Session => {
                send(&mut socket, shown(RECONNECT)).await;
                send(&mut socket, r#"{"Code":1}"#.to_owned()).await;
            }
            End::Program | End::Browser => {}
        }
        // The browser may be gone already.
        let _ = timeout(SEND, socket.close(None)).await;
        tracing::info!(%application, %namespace, %pod, %container, %user, ?ended, "a terminal was closed");
    }

    /// Lets the browser type and see. Nothing when the program was not there to begin with, unless it is the last one.
    async fn attend(
        &self,
        socket: &mut Socket,
        terminal: Terminal,
        last: bool,
        before: &mut Before,
    ) -> Option<End> {
        let Terminal { mut input, mut output, mut window, ended, .. } = terminal;
        if let Some((columns, rows)) = before.window {
            window.resize(columns, rows).await;
        }
        if !before.typed.is_empty() && input.write_all(&before.typed).await.is_err() && last {
            return Some(End::Program);
        }
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut heard, mut spoke) = (Instant::now(), false);
        let mut buffer = vec![0; CHUNK];
        let mut rest = Vec::new();
        loop {
            tokio::select! {
                read = output.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => {
                        let failed = ended.await;
                        let absent = !spoke && failed.is_some();
                        return if absent && !last { None } else { Some(End::Program) };
                    }
                    Ok(count) => {
                        // What says something was there.
                        spoke = true;
                        before.typed.clear();
                        rest.extend_from_slice(&buffer[..count]);
                        let text = whole(&mut rest);
                        if !send(socket, shown(&text)).await {
                            return Some(End::Browser);
                        }
                    }
                },
                message = socket.next() => {
                    heard = Instant::now();
                    let typed = match message {
                        Some(Ok(Message::Text(text))) => text,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                        _ => return Some(End::Browser),
                    };
                    if let Err(end) = self.may_go_on().await {
                        return Some(end);
                    }
                    let Ok(typed) = serde_json::from_str::<Typed>(&typed) else { return Some(End::Browser) };
                    match typed.operation.as_str() {
                        "stdin" => {
                            if !spoke && !before.keep(&typed.data) {
                                return Some(End::Browser);
                            }
                            // A program that is gone is heard of by its output.
                            let _ = input.write_all(typed.data.as_bytes()).await;
                        }
                        "resize" => {
                            before.window = Some((typed.cols, typed.rows));
                            window.resize(typed.cols, typed.rows).await;
                        }
                        _ => return Some(End::Browser),
                    }
                }
                _ = beat.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Some(End::Browser);
                    }
                    if let Err(end) = self.may_go_on().await {
                        return Some(end);
                    }
                    let ping = socket.send(Message::Ping("ping".into()));
                    if !matches!(timeout(SEND, ping).await, Ok(Ok(()))) {
                        return Some(End::Browser);
                    }
                }
            }
        }
    }

    /// Whether the token still stands and the permission is still there.
    async fn may_go_on(&self) -> Result<(), End> {
        let access = authenticated(&self.hub, self.token.as_deref()).await.map_err(|_| End::Session)?;
        permitted(&self.hub, &access, &self.place).await.map(|_| ()).map_err(|_| End::Denied)
    }
}

fn shown(data: &str) -> String {
    let shown = Shown { operation: "stdout", data, rows: 0, cols: 0 };
    serde_json::to_string(&shown).unwrap_or_default()
}

async fn send(socket: &mut Socket, text: String) -> bool {
    matches!(timeout(SEND, socket.send(Message::Text(text.into()))).await, Ok(Ok(())))
}

/// The text among bytes; a letter that has not come whole yet stays.
fn whole(bytes: &mut Vec<u8>) -> String {
    let cut = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    };
    let rest = bytes.split_off(cut);
    let text = String::from_utf8_lossy(bytes).into_owned();
    *bytes = rest;
    text
}

#[cfg(test)]
mod tests {
    use super::{shown, whole};

    #[test]
    fn messages_are_those_the_web_pages_know() {
        assert_eq!(shown("a\u{1b}"), r#"{"operation":"stdout","data":"a\u001b","rows":0,"cols":0}"#);
    }

    #[test]
    fn letters_that_come_in_pieces_are_shown_whole() {
        let mut bytes = "aé".as_bytes()[..2].to_vec();
        assert_eq!(whole(&mut bytes), "a");
        bytes.extend_from_slice(&"é".as_bytes()[1..]);
        assert_eq!(whole(&mut bytes), "é");
        bytes.extend_from_slice(&[0xff, b'x']);
        assert_eq!(whole(&mut bytes), "\u{fffd}x");
        assert!(bytes.is_empty());
    }
}
