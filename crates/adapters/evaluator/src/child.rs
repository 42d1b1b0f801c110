//! The child: evaluates what it is told to, with limits that the kernel keeps.

use crate::frames::{Answer, Order, Said, read, write};
use crate::{MEMORY_BYTES, OUTPUT_BYTES};
use jsonnet::{JsonnetError, Parameters};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use source_tree::{ContentId, DirEntry, Entry, Kind, Tree, TreeError, TreePath};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

/// Evaluates one thing after the other for the parent at the other end of standard input, until that is gone.
pub fn serve() -> io::Result<()> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // The stack counts whole, although it is there only where it is used.
    lower(Resource::Data, MEMORY_BYTES + jsonnet::STACK_BYTES as u64)?;
    lower(Resource::Core, 0)?;
    let tree = Parent(Mutex::new(socket));
    loop {
        let order = match tree.heard::<Order>() {
            Ok((order, _)) => order,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let (said, text) = evaluate(&tree, order)?;
        tree.say(&said, &text)?;
    }
}

fn evaluate(tree: &Parent, order: Order) -> io::Result<(Said, Vec<u8>)> {
    let path = |text: &str| TreePath::parse(text).map_err(io::Error::other);
    let file = path(&order.file)?;
    let parameters = Parameters {
        external: order.external,
        top_level: order.top_level,
        libraries: order.libraries.iter().map(|text| path(text)).collect::<io::Result<_>>()?,
    };
    bound(order.seconds)?;
    Ok(match jsonnet::evaluate(tree, &file, &parameters) {
        Ok(text) if text.len() > OUTPUT_BYTES => {
            let told = format!("{file} gives more than the limit of {OUTPUT_BYTES} bytes");
            (Said::TooMuch(told), Vec::new())
        }
        Ok(text) => (Said::Done, text.into_bytes()),
        Err(JsonnetError::Static(text)) => (Said::Static(text), Vec::new()),
        Err(JsonnetError::Runtime(text)) => (Said::Runtime(text), Vec::new()),
        Err(JsonnetError::Ended { reason, .. }) => (Said::TooMuch(reason), Vec::new()),
        Err(JsonnetError::Tree(_)) => (Said::Tree, Vec::new()),
    })
}

/// Sets a limit, unless there is a lower one.
fn lower(resource: Resource, limit: u64) -> io::Result<()> {
    let limit = getrlimit(resource).maximum.map_or(limit, |most| most.min(limit));
    Ok(setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?)
}

/// Ends us when so much more processor time is used, whether or not the parent still looks after us.
fn bound(seconds: u64) -> io::Result<()> {
    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
    let maximum = getrlimit(Resource::Cpu).maximum;
    let wanted = used.saturating_add(seconds).saturating_add(2);
    let current = Some(maximum.map_or(wanted, |most| wanted.min(most)));
    setrlimit(Resource::Cpu, Rlimit { current, maximum })?;
    Ok(())
}

/// The parent's tree, of which a Jsonnet file asks two kinds of question.
struct Parent(Mutex<UnixStream>);

impl Parent {
    fn say(&self, said: &Said, bytes: &[u8]) -> io::Result<()> {
        let mut socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut *socket, said, bytes)
    }

    fn heard<T: serde::de::DeserializeOwned>(&self) -> io::Result<(T, Vec<u8>)> {
        let mut socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        read(&mut *socket)
    }

    fn ask(&self, path: &TreePath, question: &Said) -> Result<(Answer, Vec<u8>), TreeError> {
        let answered = self.say(question, &[]).and_then(|()| self.heard());
        match answered {
            Ok((Answer::Failed, _)) => Err(unreadable(path, "the parent knows why")),
            Ok(answer) => Ok(answer),
            // The parent is gone, and so are we, at the next word.
            Err(error) => Err(unreadable(path, &error.to_string())),
        }
    }
}

fn unreadable(path: &TreePath, cause: &str) -> TreeError {
    TreeError::Unreadable { path: path.clone(), cause: cause.to_owned() }
}

impl Tree for Parent {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let (answer, _) = self.ask(path, &Said::Entry(path.as_str().to_owned()))?;
        let file = matches!(answer, Answer::Entry { file: true });
        Ok(file.then(|| Entry { path: path.clone(), kind: Kind::File }))
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<DirEntry>, TreeError> {
        Err(unreadable(directory, "folders are not listed here"))
    }

    fn read(&self, path: &TreePath) -> Result<bytes::Bytes, TreeError> {
        self.ask(path, &Said::Read(path.as_str().to_owned())).map(|(_, bytes)| bytes.into())
    }

    fn content_id(&self, path: &TreePath) -> Result<Option<ContentId>, TreeError> {
        Err(unreadable(path, "ids are not told here"))
    }
}
