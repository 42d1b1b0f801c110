//! A port on loopback whose connections are each served by a thread.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use crate::error::Error;

/// Takes connections until it is dropped.
#[derive(Debug)]
pub(crate) struct Accepting {
    /// The loopback port.
    pub(crate) port: u16,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Accepting {
    /// Begins on a free port. Connections beyond `most` at once are closed.
    pub(crate) fn start(
        most: usize,
        serve: impl Fn(TcpStream) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let tried = || Error::tried("listen on loopback");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(tried())?;
        let port = listener.local_addr().map_err(tried())?.port();
        let stopped = Arc::new(AtomicBool::new(false));
        let (stop, serve, served) = (Arc::clone(&stopped), Arc::new(serve), Arc::new(AtomicUsize::new(0)));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                if served.fetch_add(1, Ordering::Relaxed) >= most {
                    served.fetch_sub(1, Ordering::Relaxed);
                    continue;
                }
                let (serve, served) = (Arc::clone(&serve), Arc::clone(&served));
                thread::spawn(move || {
                    serve(stream);
                    served.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Ok(Self { port, stopped, thread: Some(thread) })
    }
}

impl Drop for Accepting {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
