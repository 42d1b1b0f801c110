//! What parent and child say to each other, and how: a length, a length, a line of JSON, bytes.

use jsonnet::Variable;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

/// Of the line of JSON: parameters may be large.
const MOST_WORDS: usize = 64 << 20;
/// Of the bytes: a file of a tree.
const MOST_BYTES: usize = 1 << 30;

/// What is to be evaluated.
#[derive(Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) file: String,
    pub(crate) external: BTreeMap<String, Variable>,
    pub(crate) top_level: BTreeMap<String, Variable>,
    pub(crate) libraries: Vec<String>,
    /// Processor time it may take.
    pub(crate) seconds: u64,
}

/// What a child says.
#[derive(Serialize, Deserialize)]
pub(crate) enum Said {
    /// What lies at a path?
    Entry(String),
    /// What does a file hold?
    Read(String),
    /// It is done; the text comes with it.
    Done,
    /// The file is no Jsonnet.
    Static(String),
    /// It does not evaluate.
    Runtime(String),
    /// The parent's tree did not answer, and knows why.
    Tree,
    /// More than a limit allows.
    TooMuch(String),
}

/// What the parent answers.
#[derive(Serialize, Deserialize)]
pub(crate) enum Answer {
    /// A file, or something else, or nothing.
    Entry { file: bool },
    /// The bytes come with it.
    Bytes,
    /// The tree does not answer.
    Failed,
}

pub(crate) fn write(out: &mut impl Write, words: &impl Serialize, bytes: &[u8]) -> io::Result<()> {
    let words = serde_json::to_vec(words)?;
    let length = |part: &[u8]| u32::try_from(part.len()).map(u32::to_le_bytes).map_err(io::Error::other);
    let mut head = Vec::with_capacity(words.len() + 8);
    head.extend_from_slice(&length(&words)?);
    head.extend_from_slice(&length(bytes)?);
    head.extend_from_slice(&words);
    out.write_all(&head)?;
    out.write_all(bytes)
}

pub(crate) fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<(T, Vec<u8>)> {
    let mut length = |most: usize| {
        let mut bytes = [0; 4];
        from.read_exact(&mut bytes)?;
        let length = usize::try_from(u32::from_le_bytes(bytes)).map_err(io::Error::other)?;
        if length > most { Err(io::Error::other("a frame is too long")) } else { Ok(length) }
    };
    let (words, bytes) = (length(MOST_WORDS)?, length(MOST_BYTES)?);
    let mut part = |length: usize| {
        let mut part = vec![0; length];
        from.read_exact(&mut part).map(|()| part)
    };
    let (words, bytes) = (part(words)?, part(bytes)?);
    Ok((serde_json::from_slice(&words)?, bytes))
}
