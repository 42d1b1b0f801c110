//! The parent: children that wait for work, and what it does for one that works.

use crate::frames::{Answer, Order, Said, read, write};
use crate::{MEMORY_BYTES, NAME};
use jsonnet::{JsonnetError, Parameters};
use source_tree::{Tree, TreeError, TreePath};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Children that are kept without work.
const MOST_IDLE: usize = 4;
/// Evaluations of one child: what it holds on to does not add up for ever.
const MOST_SERVED: u32 = 1000;

/// What is started as a child: it has to call [`crate::serve`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The file.
    pub file: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// All of its environment.
    pub environment: BTreeMap<String, String>,
}

impl Program {
    /// This very program, told by a variable that it is called [`NAME`].
    pub fn ourselves(name_variable: &str) -> Self {
        Self {
            // Also when the file was replaced meanwhile.
            file: PathBuf::from("/proc/self/exe"),
            arguments: Vec::new(),
            environment: BTreeMap::from([(name_variable.to_owned(), NAME.to_owned())]),
        }
    }
}

/// Those who evaluate. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Evaluators {
    program: Arc<Program>,
    idle: Arc<Mutex<Vec<Worker>>>,
}

/// A child. Dropped, it is gone.
#[derive(Debug)]
struct Worker {
    child: Child,
    socket: UnixStream,
    served: u32,
    /// Whether it has said anything about what it is at.
    heard: bool,
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Evaluators {
    /// With children of this program; none is started before there is work.
    pub fn new(program: Program) -> Self {
        Self { program: Arc::new(program), idle: Arc::default() }
    }

    /// Evaluates a file of a tree, as [`jsonnet::evaluate`] does, and ends what takes longer than the limit. Blocks.
    pub fn evaluate(
        &self,
        tree: &dyn Tree,
        file: &TreePath,
        parameters: &Parameters,
        limit: Duration,
    ) -> Result<String, JsonnetError> {
        let deadline = Instant::now() + limit;
        let seconds = limit.as_secs_f64().round();
        let unstarted = |error: io::Error| ended(file, &format!("start {NAME}: {error}"), true);
        let mut worker = self.worker().map_err(unstarted)?;
        let order = order(file, parameters, limit);
        let mut done = worker.evaluate(tree, &order, deadline);
        // Something else may have ended it while it waited for work.
        if done.is_err() && worker.served > 0 && !worker.heard && Instant::now() < deadline {
            worker = self.start().map_err(unstarted)?;
            done = worker.evaluate(tree, &order, deadline);
        }
        match done {
            Ok(result) => {
                self.give_back(worker);
                result
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                drop(worker);
                let reason = format!("stopped, as it takes longer than the limit of {seconds} s");
                Err(ended(file, &reason, true))
            }
            Err(error) => Err(worker.failed(file, &error)),
        }
    }

    fn worker(&self) -> io::Result<Worker> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.start(), Ok)
    }

    fn start(&self) -> io::Result<Worker> {
        let (socket, theirs) = UnixStream::pair()?;
        let child = Command::new(&self.program.file)
            .args(&self.program.arguments)
            .env_clear()
            // Else the allocator takes a gibibyte in advance, which counts as used.
            .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
            .envs(&self.program.environment)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Worker { child, socket, served: 0, heard: false })
    }

    fn give_back(&self, mut worker: Worker) {
        worker.served += 1;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE && worker.served < MOST_SERVED {
            idle.push(worker);
        }
    }
}

impl Worker {
    /// The result; an error of the socket when there is none.
    fn evaluate(
        &mut self,
        tree: &dyn Tree,
        order: &Order,
        deadline: Instant,
    ) -> io::Result<Result<String, JsonnetError>> {
        self.heard = false;
        let mut socket = Timed { socket: &self.socket, deadline };
        write(&mut socket, order, &[])?;
        let mut failure = None;
        let mut told = |error: TreeError| {
            failure.get_or_insert(error);
            Answer::Failed
        };
        loop {
            let (said, bytes) = read::<Said>(&mut socket)?;
            self.heard = true;
            match said {
                Said::Entry(path) => {
                    let answer = match tree.entry(&parse(&path)?) {
                        Ok(entry) => Answer::Entry { file: entry.is_some_and(|entry| entry.kind.is_file()) },
                        Err(TreeError::NotADirectory { .. } | TreeError::NotFound { .. }) => {
                            Answer::Entry { file: false }
                        }
                        Err(error) => told(error),
                    };
                    write(&mut socket, &answer, &[])?;
                }
                Said::Read(path) => match tree.read(&parse(&path)?) {
                    Ok(bytes) => write(&mut socket, &Answer::Bytes, &bytes)?,
                    Err(error) => write(&mut socket, &told(error), &[])?,
                },
                Said::Done => return Ok(Ok(String::from_utf8(bytes).map_err(io::Error::other)?)),
                Said::Static(text) => return Ok(Err(JsonnetError::Static(text))),
                Said::Runtime(text) => return Ok(Err(JsonnetError::Runtime(text))),
                Said::TooMuch(reason) => return Ok(Err(JsonnetError::Ended { reason, retry: false })),
                Said::Tree => {
                    let error = failure.ok_or_else(|| io::Error::other("nothing of the tree failed"))?;
                    return Ok(Err(JsonnetError::Tree(error)));
                }
            }
        }
    }

    /// Why there is no result: a child that ended was stopped by a limit, or broke.
    fn failed(mut self, file: &TreePath, error: &io::Error) -> JsonnetError {
        self.child.kill().ok();
        let Ok(status) = self.child.wait() else { return ended(file, &error.to_string(), true) };
        // What finds no memory ends by SIGABRT.
        match std::os::unix::process::ExitStatusExt::signal(&status) {
            Some(ABORTED) => {
                let reason =
                    format!("stopped, as it needs more than the limit of {MEMORY_BYTES} bytes of memory");
                ended(file, &reason, false)
            }
            Some(OUT_OF_PROCESSOR_TIME) => ended(file, "stopped, as its processor time is used up", true),
            _ => ended(file, &format!("{NAME} broke off ({status}): {error}"), true),
        }
    }
}

const ABORTED: i32 = 6;
const OUT_OF_PROCESSOR_TIME: i32 = 24;

fn ended(file: &TreePath, reason: &str, retry: bool) -> JsonnetError {
    JsonnetError::Ended { reason: format!("{file}: {reason}"), retry }
}

fn parse(path: &str) -> io::Result<TreePath> {
    TreePath::parse(path).map_err(io::Error::other)
}

fn order(file: &TreePath, parameters: &Parameters, limit: Duration) -> Order {
    Order {
        file: file.as_str().to_owned(),
        external: parameters.external.clone(),
        top_level: parameters.top_level.clone(),
        libraries: parameters.libraries.iter().map(|path| path.as_str().to_owned()).collect(),
        seconds: limit.as_secs(),
    }
}

/// A socket that is given up at a time, however little comes at once.
struct Timed<'a> {
    socket: &'a UnixStream,
    deadline: Instant,
}

impl Timed<'_> {
    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(self.left()?))?;
        let mut socket = self.socket;
        socket.read(into)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(self.left()?))?;
        let mut socket = self.socket;
        socket.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
