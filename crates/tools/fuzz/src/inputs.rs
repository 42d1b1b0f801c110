//! What targets are run over without coverage: the files kept for them, and changed copies of those, the same on
//! every machine.

use crate::Target;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The files kept for one target.
pub struct Inputs {
    /// Good examples, and what goes beyond them.
    pub seeds: Vec<(PathBuf, Vec<u8>)>,
    /// What once broke it.
    pub found: Vec<(PathBuf, Vec<u8>)>,
}

impl Inputs {
    /// Reads them, by name.
    pub fn of(target: &Target) -> io::Result<Self> {
        Ok(Self {
            seeds: files(&Self::folder("seeds", target))?,
            found: files(&Self::folder("found", target))?,
        })
    }

    /// `seeds/NAME` or `found/NAME` of this crate.
    pub fn folder(kind: &str, target: &Target) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(kind).join(target.name)
    }
}

fn files(folder: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    paths.into_iter().map(|path| fs::read(&path).map(|bytes| (path, bytes))).collect()
}

/// Numbers from a seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap_or_default()
    }

    /// A range within a length.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..(start + 1 + self.below(24)).min(length).max(start)
    }
}

/// The largest input that is made.
const LARGEST: usize = 64 << 10;
/// What readers take for something special.
const WORDS: [&[u8]; 24] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\t",
    b"  ",
    b"\"",
    b"'",
    b"\\",
    b"{{",
    b"}}",
    b"{",
    b"}",
    b"[",
    b"]",
    b": ",
    b"- ",
    b"null",
    b"-1",
    b"9223372036854775808",
    b"1e400",
    b"../",
    b"%",
    b"\xff\xfe",
    "é\u{2028}".as_bytes(),
];

/// The `number`th changed copy of the inputs: a few bytes, words or lines of one are changed, doubled, dropped, cut,
/// or taken from another.
pub fn mutated(inputs: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut numbers = Numbers(number);
    let Some(mut bytes) = pick(inputs, &mut numbers).cloned() else { return Vec::new() };
    for _ in 0..=numbers.below(4) {
        change(&mut bytes, inputs, &mut numbers);
    }
    bytes.truncate(LARGEST);
    bytes
}

fn pick<'a, T>(list: &'a [T], numbers: &mut Numbers) -> Option<&'a T> {
    list.get(numbers.below(list.len()))
}

fn change(bytes: &mut Vec<u8>, inputs: &[Vec<u8>], numbers: &mut Numbers) {
    let range = numbers.range(bytes.len());
    match numbers.below(8) {
        0 => {
            if let Some(byte) = bytes.get_mut(range.start) {
                *byte ^= 1 << numbers.below(8);
            }
        }
        1 => drop(bytes.drain(range)),
        2 => {
            let copy = bytes[range.clone()].to_vec();
            bytes.splice(range.start..range.start, copy);
        }
        3 => bytes.truncate(range.end),
        4 => {
            let word = WORDS[numbers.below(WORDS.len())];
            bytes.splice(range.start..range.start, word.iter().copied());
        }
        5 => {
            let word = WORDS[numbers.below(WORDS.len())];
            bytes.splice(range, word.iter().copied());
        }
        6 => {
            let other = pick(inputs, numbers).map(Vec::as_slice).unwrap_or_default();
            let piece = other[numbers.range(other.len())].to_vec();
            bytes.splice(range, piece);
        }
        _ => swap_lines(bytes, numbers),
    }
}

fn swap_lines(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.len() > 1 {
        let (one, other) = (numbers.below(lines.len()), numbers.below(lines.len()));
        lines.swap(one, other);
        *bytes = lines.concat();
    }
}

#[cfg(test)]
mod tests {
    use super::mutated;

    #[test]
    fn the_same_number_gives_the_same_copy_and_others_differ() {
        let inputs = vec![b"kind: Pod\nspec: {}\n".to_vec(), b"a: [1, 2]\n".to_vec()];
        assert_eq!(mutated(&inputs, 7), mutated(&inputs, 7));
        let copies: std::collections::BTreeSet<_> = (0..200).map(|number| mutated(&inputs, number)).collect();
        assert!(copies.len() > 150, "{} different copies of 200", copies.len());
    }
}
