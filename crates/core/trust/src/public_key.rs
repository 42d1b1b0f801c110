//! Public keys that sign, in the armour of OpenPGP (RFC 4880): which keys a text holds, and what names them. Only the
//! frame of the packets is read here; nothing is verified.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";
/// Letters of a line.
const WIDTH: usize = 64;
/// What is read at most: more does not fit into a ConfigMap.
const LONGEST: usize = 1 << 20;
const USER_ID: u8 = 13;
const KEY: u8 = 6;

/// One public key with everything that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Its fingerprint, forty hexadecimal digits.
    pub fingerprint: String,
    /// Its first user.
    pub owner: String,
    /// Its algorithm as GnuPG names it: `ed25519`, `rsa4096`, …
    pub algorithm: String,
    /// The key alone, in armour.
    pub armored: String,
}

/// Why a text holds no keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPublicKey {
    /// No block of public keys.
    #[error("no public key was found")]
    Missing,
    /// Longer than can be kept.
    #[error("the keys are longer than {LONGEST} bytes")]
    TooLong,
    /// The block cannot be read.
    #[error("a block of public keys is broken: {0}")]
    Broken(&'static str),
    /// A key that GnuPG would not take either, or of a kind that is not known.
    #[error("a public key cannot be used: {0}")]
    Unusable(&'static str),
}

use InvalidPublicKey::{Broken, Missing, TooLong, Unusable};

impl PublicKey {
    /// Its key id: the last sixteen digits of the fingerprint.
    pub fn key_id(&self) -> &str {
        &self.fingerprint[self.fingerprint.len() - 16..]
    }
}

/// The key id that a text means: one itself, or the end of a fingerprint.
pub fn key_id(text: &str) -> Option<&str> {
    let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.len() {
        16 if hexadecimal => Some(text),
        40 if hexadecimal => Some(&text[24..]),
        _ => None,
    }
}

/// All public keys in a text.
pub fn public_keys(text: &str) -> Result<Vec<PublicKey>, InvalidPublicKey> {
    if text.len() > LONGEST {
        return Err(TooLong);
    }
    let mut keys = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while lines.by_ref().any(|line| line == BEGIN) {
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != END).collect();
        keys.extend(block_keys(&block)?);
    }
    if keys.is_empty() { Err(Missing) } else { Ok(keys) }
}

fn block_keys(lines: &[&str]) -> Result<Vec<PublicKey>, InvalidPublicKey> {
    // Headers end with an empty line.
    let body = lines.iter().position(|line| line.is_empty()).map_or(lines, |end| &lines[end + 1..]);
    let encoded: String = body.iter().filter(|line| !line.starts_with('=')).copied().collect();
    let bytes = STANDARD.decode(encoded).map_err(|_| Broken("it is not base64"))?;
    let checksum = body.iter().find_map(|line| line.strip_prefix('=').filter(|sum| sum.len() == 4));
    if checksum.is_some_and(|sum| sum != STANDARD.encode(crc24(&bytes))) {
        return Err(Broken("its checksum is wrong"));
    }
    let packets = packets(&bytes)?;
    let starts: Vec<usize> =
        packets.iter().enumerate().filter(|(_, packet)| packet.tag == KEY).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([packets.len()]);
    starts.iter().zip(ends).map(|(start, end)| key(&packets[*start..end])).collect()
}

fn key(packets: &[Packet<'_>]) -> Result<PublicKey, InvalidPublicKey> {
    let body = packets.first().ok_or(Missing)?.body;
    let [4, _, _, _, _, algorithm, material @ ..] = body else {
        return Err(Unusable("it is not of version 4"));
    };
    let length = u16::try_from(body.len()).map_err(|_| Broken("a key is too long"))?;
    let mut hash = Sha1::new();
    hash.update([0x99]);
    hash.update(length.to_be_bytes());
    hash.update(body);
    let owner = packets.iter().find(|packet| packet.tag == USER_ID).ok_or(Unusable("it names no user"))?;
    let whole: Vec<u8> = packets.iter().flat_map(|packet| packet.whole).copied().collect();
    Ok(PublicKey {
        fingerprint: hash.finalize().iter().map(|byte| format!("{byte:02X}")).collect(),
        owner: String::from_utf8_lossy(owner.body).replace(['\n', '\r', '\0'], " "),
        algorithm: algorithm_name(*algorithm, material)?,
        armored: armored(&whole),
    })
}

/// The name of an algorithm, with its size or curve.
fn algorithm_name(algorithm: u8, material: &[u8]) -> Result<String, InvalidPublicKey> {
    let bits = || {
        let (bits, _) = material.split_first_chunk::<2>().ok_or(Broken("a key is cut short"))?;
        Ok(u16::from_be_bytes(*bits))
    };
    Ok(match algorithm {
        1..=3 => format!("rsa{}", bits()?),
        17 => format!("dsa{}", bits()?),
        19 | 22 => curve(material)?.to_owned(),
        27 => "ed25519".to_owned(),
        28 => "ed448".to_owned(),
        _ => return Err(Unusable("its algorithm does not sign, or is not known")),
    })
}

fn curve(material: &[u8]) -> Result<&'static str, InvalidPublicKey> {
    let (length, rest) = material.split_first().ok_or(Broken("a key is cut short"))?;
    let oid = rest.get(..usize::from(*length)).ok_or(Broken("a key is cut short"))?;
    let known: [(&[u8], &str); 9] = [
        (&[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01], "ed25519"),
        (&[0x2b, 0x65, 0x71], "ed448"),
        (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], "nistp256"),
        (&[0x2b, 0x81, 0x04, 0x00, 0x22], "nistp384"),
        (&[0x2b, 0x81, 0x04, 0x00, 0x23], "nistp521"),
        (&[0x2b, 0x81, 0x04, 0x00, 0x0a], "secp256k1"),
        (&[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07], "brainpoolP256r1"),
        (&[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b], "brainpoolP384r1"),
        (&[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0d], "brainpoolP512r1"),
    ];
    let found = known.iter().find(|(known, _)| *known == oid);
    found.map(|(_, name)| *name).ok_or(Unusable("its curve is not known"))
}

struct Packet<'b> {
    tag: u8,
    body: &'b [u8],
    whole: &'b [u8],
}

fn packets(bytes: &[u8]) -> Result<Vec<Packet<'_>>, InvalidPublicKey> {
    let mut packets = Vec::new();
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let (tag, length, body) = header(*first, after)?;
        let (body, next) = body.split_at_checked(length).ok_or(Broken("a packet is cut short"))?;
        packets.push(Packet { tag, body, whole: &rest[..rest.len() - next.len()] });
        rest = next;
    }
    match packets.first() {
        Some(packet) if packet.tag == KEY => Ok(packets),
        Some(_) => Err(Missing),
        None => Err(Broken("it is empty")),
    }
}

/// Tag and length of a packet, and what follows them.
fn header(first: u8, after: &[u8]) -> Result<(u8, usize, &[u8]), InvalidPublicKey> {
    let short = Broken("a packet is cut short");
    if first & 0x80 == 0 {
        return Err(Broken("it holds no packets"));
    }
    let (tag, size) = if first & 0x40 == 0 {
        (
            (first >> 2) & 0x0f,
            match first & 3 {
                0 => 1,
                1 => 2,
                2 => 4,
                _ => 0,
            },
        )
    } else {
        (
            first & 0x3f,
            match after.first().ok_or(short.clone())? {
                0..=191 => 1,
                192..=223 => 2,
                255 => 5,
                _ => 0,
            },
        )
    };
    if size == 0 {
        return Err(Broken("a packet of unknown length"));
    }
    let (length, body) = after.split_at_checked(size).ok_or(short)?;
    let big = |bytes: &[u8]| bytes.iter().fold(0usize, |sum, byte| (sum << 8) | usize::from(*byte));
    let length = match length {
        [high @ 192..=223, low] if first & 0x40 != 0 => {
            (usize::from(*high) - 192) * 256 + usize::from(*low) + 192
        }
        [255, long @ ..] if first & 0x40 != 0 => big(long),
        plain => big(plain),
    };
    Ok((tag, length, body))
}

fn armored(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    let mut text = format!("{BEGIN}\n\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(WIDTH));
        text.push_str(line);
        text.push('\n');
        rest = next;
    }
    text + &format!("={}\n{END}", STANDARD.encode(crc24(bytes)))
}

fn crc24(bytes: &[u8]) -> [u8; 3] {
    let mut sum: u32 = 0x00b7_04ce;
    for byte in bytes {
        sum ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            sum <<= 1;
            if sum & 0x0100_0000 != 0 {
                sum ^= 0x0186_4cfb;
            }
        }
    }
    let [_, high, middle, low] = sum.to_be_bytes();
    [high, middle, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARMORED: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n\
        mDMEawP7GhYJKwYBBAHaRw8BAQdA8/T4AYRsPwqSvPrGVg0YUpd7RokpTwLa+lDl\n\
        5QaIJVm0HUZpeHR1cmUgS2V5IDxrZXlAZXhhbXBsZS5jb20+iJAEExYIADgWIQTu\n\
        /Ku/lSRHWwSFRSf6GqQNe+go+gUCawP7GgIbAwULCQgHAgYVCgkICwIEFgIDAQIe\n\
        AQIXgAAKCRD6GqQNe+go+nyTAP4qJ70qGvJjGQeBU+opHJbEW/ZI/9zAX9bay61c\n\
        r9D1rAD/SC+nqagTUh+7+cadVxMEDGRrcjCob97FSUEThg79lQ0=\n\
        =DuGp\n\
        -----END PGP PUBLIC KEY BLOCK-----";

    #[test]
    fn a_key_is_named_as_gnupg_names_it() {
        let key = &public_keys(&format!("{ARMORED}\n")).unwrap()[0];
        assert_eq!(key.key_id(), "FA1AA40D7BE828FA");
        assert_eq!(key.fingerprint, "EEFCABBF9524475B04854527FA1AA40D7BE828FA");
        assert_eq!(
            (key.algorithm.as_str(), key.owner.as_str()),
            ("ed25519", "Fixture Key <key@example.com>")
        );
        assert_eq!(key.armored, ARMORED);
    }

    #[test]
    fn headers_are_read_over_and_two_blocks_are_two_keys() {
        let with_header = ARMORED.replacen("\n\n", "\nComment: mine\n\n", 1);
        assert_eq!(public_keys(&format!("{with_header}\nbetween\n{ARMORED}\n")).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_key_is_refused_and_nothing_panics() {
        assert_eq!(public_keys("junk"), Err(Missing));
        assert_eq!(public_keys(&ARMORED.replace("PUBLIC", "PRIVATE")), Err(Missing));
        assert_eq!(public_keys(&ARMORED.replace("=DuGp", "=AAAA")), Err(Broken("its checksum is wrong")));
        assert_eq!(public_keys(&"x".repeat(LONGEST + 1)), Err(TooLong));
        let encoded: String = ARMORED.lines().skip(2).take(5).collect();
        let bytes = STANDARD.decode(encoded).unwrap();
        for length in 0..bytes.len() {
            let text = format!("{BEGIN}\n\n{}\n{END}\n", STANDARD.encode(&bytes[..length]));
            assert!(public_keys(&text).is_err() || length >= 84, "{length}");
            let mut changed = bytes.clone();
            changed[length] ^= 0xff;
            let text = format!("{BEGIN}\n\n{}\n{END}\n", STANDARD.encode(&changed));
            // Whatever it is, it is an answer.
            let _ = public_keys(&text);
        }
    }

    #[test]
    fn ids_are_whole_or_the_end_of_a_fingerprint() {
        assert_eq!(key_id("FA1AA40D7BE828FA"), Some("FA1AA40D7BE828FA"));
        assert_eq!(key_id("EEFCABBF9524475B04854527FA1AA40D7BE828FA"), Some("FA1AA40D7BE828FA"));
        for text in ["", "none", "FA1AA40D7BE828F", "ZZ1AA40D7BE828FA", "äääääääá"] {
            assert_eq!(key_id(text), None, "{text}");
        }
    }
}
