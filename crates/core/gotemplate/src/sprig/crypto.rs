//! Hashes, passwords, AES, and random bytes. Randomness comes from outside.

use super::{count, int, text};
use crate::functions::Line;
use crate::machine::Machine;
use crate::text::Text;
use crate::value::Value;
use aes::Aes256;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

pub(super) const LINES: &[Line] = &[
    ("sha1sum", "s", |_, a| Ok(hex(&Sha1::digest(text(a, 0).as_bytes())).into())),
    ("sha256sum", "s", |_, a| Ok(hex(&Sha256::digest(text(a, 0).as_bytes())).into())),
    ("sha512sum", "s", |_, a| Ok(hex(&Sha512::digest(text(a, 0).as_bytes())).into())),
    ("adler32sum", "s", |_, a| Ok(adler32(text(a, 0).as_bytes()).to_string().into())),
    ("bcrypt", "s", |machine, a| bcrypted(machine, &text(a, 0)).map(Value::from)),
    ("htpasswd", "ss", |machine, a| {
        let name = text(a, 0);
        if name.as_bytes().contains(&b':') {
            return Ok(format!("invalid username: {}", name.to_str()).into());
        }
        Ok(format!("{}:{}", name.to_str(), bcrypted(machine, &text(a, 1))?).into())
    }),
    ("randBytes", "i", |machine, a| {
        machine.grow(count(int(a, 0)))?;
        let mut buffer = vec![0; count(int(a, 0))];
        machine.outside.random(&mut buffer)?;
        machine.made(STANDARD.encode(buffer).into_bytes())
    }),
    ("uuidv4", "", |machine, _| {
        let mut bytes = [0; 16];
        machine.outside.random(&mut bytes)?;
        bytes[6] = bytes[6] & 0x0F | 0x40;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        let digits = hex(&bytes);
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        Ok(parts.join("-").into())
    }),
    ("derivePassword", "ussss", |machine, a| super::passwords::derive(machine, a)),
    ("genPrivateKey", "s", |machine, a| {
        super::keys::generate(machine, &text(a, 0).to_str()).map(Value::from)
    }),
    ("encryptAES", "ss", |machine, a| encrypt(machine, &text(a, 0), &text(a, 1))),
    ("decryptAES", "ss", |_, a| decrypt(&text(a, 0), &text(a, 1))),
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in bytes {
        low = (low + u32::from(*byte)) % 65521;
        high = (high + low) % 65521;
    }
    high << 16 | low
}

/// Cost 10, as Go's default.
fn bcrypted(machine: &mut Machine<'_>, password: &Text) -> Result<String, String> {
    if password.len() > 72 {
        return Ok("failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".into());
    }
    machine.spend(100_000)?;
    let mut salt = [0; 16];
    machine.outside.random(&mut salt)?;
    match bcrypt::hash_with_salt(password.as_bytes(), 10, salt) {
        Ok(parts) => Ok(parts.format_for_version(bcrypt::Version::TwoA)),
        Err(error) => Ok(format!("failed to encrypt string with bcrypt: {error}")),
    }
}

fn cipher(password: &Text) -> Aes256 {
    let mut key = [0; 32];
    for (place, byte) in key.iter_mut().zip(password.as_bytes()) {
        *place = *byte;
    }
    Aes256::new(&Array(key))
}

fn encrypt(machine: &mut Machine<'_>, password: &Text, plain: &Text) -> Result<Value, String> {
    if plain.is_empty() {
        return Ok("".into());
    }
    machine.grow(plain.len() * 2)?;
    let cipher = cipher(password);
    let mut content = plain.as_bytes().to_vec();
    let padding = 16 - content.len() % 16;
    content.resize(content.len() + padding, u8::try_from(padding).unwrap_or(16));
    let mut previous = [0; 16];
    machine.outside.random(&mut previous)?;
    let mut out = previous.to_vec();
    for chunk in content.chunks_exact(16) {
        let mut block = [0; 16];
        for (place, (left, right)) in block.iter_mut().zip(chunk.iter().zip(previous)) {
            *place = left ^ right;
        }
        let mut block = Array(block);
        cipher.encrypt_block(&mut block);
        previous = block.0;
        out.extend_from_slice(&previous);
    }
    Ok(STANDARD.encode(out).into())
}

fn decrypt(password: &Text, sealed: &Text) -> Result<Value, String> {
    if sealed.is_empty() {
        return Ok("".into());
    }
    let bytes = super::encodings::from_base64(sealed.as_bytes())?;
    if bytes.len() < 16 {
        let length = bytes.len();
        return Err(format!("runtime error: slice bounds out of range [:16] with capacity {length}"));
    }
    if !bytes.len().is_multiple_of(16) {
        return Err("crypto/cipher: input not full blocks".into());
    }
    let cipher = cipher(password);
    let mut out = Vec::with_capacity(bytes.len());
    for (sealed, previous) in bytes[16..].chunks_exact(16).zip(bytes.chunks_exact(16)) {
        let mut block = [0; 16];
        block.copy_from_slice(sealed);
        let mut block = Array(block);
        cipher.decrypt_block(&mut block);
        out.extend(block.0.iter().zip(previous).map(|(left, right)| left ^ right));
    }
    let padding =
        out.last().map(|byte| usize::from(*byte)).ok_or("runtime error: index out of range [-1]")?;
    let length = out.len().checked_sub(padding).ok_or("runtime error: slice bounds out of range")?;
    out.truncate(length);
    Ok(Value::text(out))
}
