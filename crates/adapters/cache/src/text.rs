//! Compression of stored values.

use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use std::io::Read;

/// What a value may unpack to: a small entry must not fill the memory.
const MOST: u64 = 256 * 1024 * 1024;

/// Gzip, quickly.
pub fn compress(value: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let read = GzEncoder::new(value, Compression::fast()).read_to_end(&mut packed);
    assert!(read.is_ok(), "reading from and writing to memory cannot fail");
    packed
}

/// The value of a gzip stream; nothing when it is not one, or unpacks to more than 256 MiB.
pub fn decompress(packed: &[u8]) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    GzDecoder::new(packed).take(MOST + 1).read_to_end(&mut value).ok()?;
    (value.len() as u64 <= MOST).then_some(value)
}
