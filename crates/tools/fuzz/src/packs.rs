//! Packs as a Git remote sends them, received the way the `git` crate receives them: through gix, into a mirror.

use gix::odb::pack;
use sha1::{Digest as _, Sha1};
use std::io::{Cursor, Write as _};
use std::sync::atomic::AtomicBool;

/// What `crates/adapters/git` allows a single object.
const LARGEST_OBJECT: usize = 1 << 20;
/// So many objects of a pack that was received are read.
const MOST_READ: u32 = 64;

/// Takes a pack without the checksum at its end, which would hide everything else.
pub(crate) fn pack(data: &[u8]) {
    let mut whole = data.to_vec();
    whole.extend(Sha1::digest(data));
    receive(&whole);
}

/// Takes a list of objects and makes a pack of them, so that what deltas say is looked at: a byte for the kind, two for the
/// size of what follows, one that is added to the size that is told, and for deltas one that says how far back the base lies.
pub(crate) fn pack_objects(data: &[u8]) {
    let mut entries: Vec<Vec<u8>> = Vec::new();
    let mut rest = data;
    while let [kind, high, low, lie, back, more @ ..] = rest {
        let size = usize::from(u16::from_be_bytes([*high, *low])).min(more.len());
        let (content, after) = more.split_at(size);
        rest = after;
        let kind = [1, 2, 3, 4, 6][usize::from(*kind) % 5];
        let told = if *lie < 200 { size } else { size.wrapping_add(1 << (*lie % 60)) };
        let mut entry = header(kind, told as u64);
        if kind == 6 {
            let back = usize::from(*back) % entries.len().max(1);
            let distance = entries.iter().rev().take(back + 1).map(Vec::len).sum::<usize>();
            entry.extend(offset(distance as u64));
        }
        let mut packer = flate2::write::ZlibEncoder::new(entry, flate2::Compression::none());
        packer.write_all(content).expect("a vector takes all");
        entries.push(packer.finish().expect("a vector takes all"));
    }
    let mut whole = b"PACK\0\0\0\x02".to_vec();
    whole.extend(u32::try_from(entries.len()).unwrap_or_default().to_be_bytes());
    whole.extend(entries.concat());
    pack(&whole);
}

/// Kind and size, seven bits a byte.
fn header(kind: u8, size: u64) -> Vec<u8> {
    let mut rest = size >> 4;
    let mut bytes = vec![kind << 4 | (size & 15) as u8];
    while rest > 0 {
        if let Some(last) = bytes.last_mut() {
            *last |= 0x80;
        }
        bytes.push((rest & 0x7F) as u8);
        rest >>= 7;
    }
    bytes
}

/// How far back a base lies, in Git's own way of writing it.
fn offset(distance: u64) -> Vec<u8> {
    let mut bytes = vec![(distance & 0x7F) as u8];
    let mut rest = distance >> 7;
    while rest > 0 {
        rest -= 1;
        bytes.push(0x80 | (rest & 0x7F) as u8);
        rest >>= 7;
    }
    bytes.reverse();
    bytes
}

fn receive(whole: &[u8]) {
    let folder = tempfile::tempdir().expect("make a folder");
    let options = pack::bundle::write::Options {
        thread_limit: Some(1),
        alloc_limit_bytes: Some(LARGEST_OBJECT),
        ..Default::default()
    };
    let received = pack::Bundle::write_to_directory(
        &mut Cursor::new(whole),
        Some(folder.path()),
        &mut gix::progress::Discard,
        &AtomicBool::new(false),
        None::<gix::objs::find::Never>,
        gix::hash::Kind::Sha1,
        options,
    );
    let Ok(received) = received else { return };
    let Some(Ok(bundle)) = received.to_bundle() else { return };
    let mut cache = pack::cache::Never;
    let mut inflate = gix::zlib::Inflate::default();
    let mut buffer = Vec::new();
    for index in 0..bundle.index.num_objects().min(MOST_READ) {
        if let Ok((object, _)) = bundle.get_object_by_index(index, &mut buffer, &mut inflate, &mut cache) {
            let _ = object.decode().map(|object| object.kind());
        }
    }
}
