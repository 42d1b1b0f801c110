//! Private keys: made, read, written, signed with. Randomness comes from outside.

use crate::machine::Machine;
use crate::outside::Randomness;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_bigint::rand_core::{TryCryptoRng, TryRng};
use crypto_bigint::{Bounded, Encoding, RandomBits, RandomMod, U1024, U2048, UnsignedWithMontyForm};
use crypto_primes::hazmat::{SetBits, SmallFactorsSieveFactory};
use crypto_primes::{Flavor, is_prime, sieve_and_find};
use ed25519_dalek::Signer as _;
use p256::elliptic_curve::rand_core::{CryptoRng, Error, RngCore};
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _, LineEnding};
use rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _};
use sha2::{Digest, Sha256};
use std::convert::Infallible;

impl RngCore for Randomness<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut buffer = [0; 4];
        self.fill(&mut buffer);
        u32::from_le_bytes(buffer)
    }

    fn next_u64(&mut self) -> u64 {
        let mut buffer = [0; 8];
        self.fill(&mut buffer);
        u64::from_le_bytes(buffer)
    }

    fn fill_bytes(&mut self, buffer: &mut [u8]) {
        self.fill(buffer);
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        self.fill(buffer);
        if self.failure.is_some() { Err(Error::new("no randomness")) } else { Ok(()) }
    }
}

impl CryptoRng for Randomness<'_> {}

// What makes primes knows a later version of the same traits.
impl TryRng for Randomness<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(RngCore::next_u32(self))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(RngCore::next_u64(self))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Infallible> {
        self.fill(buffer);
        Ok(())
    }
}

impl TryCryptoRng for Randomness<'_> {}

/// A private key of one of the sorts that are supported.
pub(super) enum Key {
    Rsa(Box<rsa::RsaPrivateKey>),
    Ecdsa(p256::SecretKey),
    Ed25519(ed25519_dalek::SigningKey),
}

/// The start of what RSA signs: that a SHA-256 digest follows.
const SHA256_PREFIX: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// How often two primes are drawn that may not make a key together.
const ATTEMPTS: usize = 16;
/// The public exponent that everybody takes.
const EXPONENT: u32 = 65_537;

/// Names of signature algorithms: SHA-256 with RSA, ECDSA with SHA-256, Ed25519.
const RSA_SHA256: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00];
const ECDSA_SHA256: [u8; 12] = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ED25519: [u8; 7] = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];

/// A new private key as PEM, or sprig's words about why not.
pub(super) fn generate(machine: &mut Machine<'_>, kind: &str) -> Result<String, String> {
    let key = match kind {
        "" | "rsa" => rsa_key(machine, 4096)?,
        "ecdsa" => {
            let mut randomness = machine.randomness();
            let key = p256::SecretKey::random(&mut randomness);
            told(&randomness)?;
            Key::Ecdsa(key)
        }
        "ed25519" => {
            let mut seed = [0; 32];
            machine.outside.random(&mut seed)?;
            Key::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
        }
        "dsa" => return Err("DSA keys are not supported".into()),
        _ => return Ok(format!("Unknown type {kind}")),
    };
    key.pem()
}

fn told(randomness: &Randomness<'_>) -> Result<(), String> {
    randomness.failure.clone().map_or(Ok(()), Err)
}

/// A new RSA key.
pub(super) fn rsa_key(machine: &mut Machine<'_>, bits: usize) -> Result<Key, String> {
    machine.spend(if bits > 2048 { 20_000_000 } else { 5_000_000 })?;
    // Without randomness no prime would ever be found.
    machine.outside.random(&mut [0; 1])?;
    let mut randomness = machine.randomness();
    for _ in 0..ATTEMPTS {
        let [p, q] = match bits {
            2048 => [(); 2].map(|()| prime::<U1024>(&mut randomness)),
            _ => [(); 2].map(|()| prime::<U2048>(&mut randomness)),
        };
        told(&randomness)?;
        let (p, q) = (p?, q?);
        // Of primes that have nothing to do with the exponent, as good as all.
        if p != q
            && let Ok(key) = rsa::RsaPrivateKey::from_p_q(p, q, rsa::BigUint::from(EXPONENT))
        {
            return Ok(Key::Rsa(Box::new(key)));
        }
    }
    Err("error generating rsa key: what is said to be random is not".into())
}

/// A prime with as many bits as the type, the upper two of them set, so that the product of two has twice as many. The
/// crate `rsa` makes the same at a third of the speed.
fn prime<T>(randomness: &mut Randomness<'_>) -> Result<rsa::BigUint, String>
where
    T: UnsignedWithMontyForm + RandomBits + RandomMod + Bounded + Encoding,
{
    let failed = |error: crypto_primes::Error| format!("error generating rsa key: {error}");
    let candidates =
        SmallFactorsSieveFactory::<T>::new(Flavor::Any, T::BITS, SetBits::TwoMsb).map_err(failed)?;
    let found = sieve_and_find(randomness, candidates, |_, candidate| is_prime(Flavor::Any, candidate));
    let prime = found.map_err(failed)?.ok_or("error generating rsa key: there is no such prime")?;
    Ok(rsa::BigUint::from_bytes_be(prime.to_be_bytes().as_ref()))
}

/// PEM of some bytes.
pub(super) fn pem(label: &str, bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in encoded.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// The label and the bytes of the first PEM block.
pub(super) fn from_pem(text: &str) -> Option<(&str, Vec<u8>)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let body = body.rsplit("\n\n").next().unwrap_or(body);
    let digits: String = body.chars().filter(|character| !character.is_whitespace()).collect();
    Some((label, STANDARD.decode(digits).ok()?))
}

impl Key {
    /// Reads a key from PEM.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some((label, bytes)) = from_pem(text) else { return Err("no PEM data in input".into()) };
        match label {
            "PRIVATE KEY" => Self::from_pkcs8(&bytes).ok_or("decoding PEM as PKCS#8: unknown key".to_owned()),
            "RSA PRIVATE KEY" => rsa::RsaPrivateKey::from_pkcs1_der(&bytes)
                .map(|key| Self::Rsa(Box::new(key)))
                .map_err(|error| format!("parsing RSA private key from PEM: {error}")),
            "EC PRIVATE KEY" => p256::SecretKey::from_sec1_der(&bytes)
                .map(Self::Ecdsa)
                .map_err(|error| format!("parsing EC private key from PEM: {error}")),
            other if other.ends_with(" PRIVATE KEY") => {
                Err(format!("invalid private key type {}", &other[..other.len() - 12]))
            }
            other => Err(format!("no private key data in PEM block of type {other}")),
        }
    }

    fn from_pkcs8(bytes: &[u8]) -> Option<Self> {
        if let Ok(key) = rsa::RsaPrivateKey::from_pkcs8_der(bytes) {
            return Some(Self::Rsa(Box::new(key)));
        }
        if let Ok(key) = p256::SecretKey::from_pkcs8_der(bytes) {
            return Some(Self::Ecdsa(key));
        }
        ed25519_dalek::SigningKey::from_pkcs8_der(bytes).ok().map(Self::Ed25519)
    }

    /// The key as PEM, in the form Go gives each sort.
    pub(super) fn pem(&self) -> Result<String, String> {
        let failed = |error: String| format!("failed to generate private key: {error}");
        match self {
            Self::Rsa(key) => key
                .to_pkcs1_pem(LineEnding::LF)
                .map(|pem| pem.to_string())
                .map_err(|error| failed(error.to_string())),
            Self::Ecdsa(key) => key
                .to_sec1_pem(LineEnding::LF)
                .map(|pem| pem.to_string())
                .map_err(|error| failed(error.to_string())),
            Self::Ed25519(key) => {
                let der = key.to_pkcs8_der().map_err(|error| failed(error.to_string()))?;
                Ok(pem("PRIVATE KEY", der.as_bytes()))
            }
        }
    }

    /// The public half, as certificates hold it.
    pub(super) fn public(&self) -> Result<Vec<u8>, String> {
        let document = match self {
            Self::Rsa(key) => key.to_public_key().to_public_key_der(),
            Self::Ecdsa(key) => key.public_key().to_public_key_der(),
            Self::Ed25519(key) => key.verifying_key().to_public_key_der(),
        };
        document.map(rsa::pkcs8::Document::into_vec).map_err(|error| error.to_string())
    }

    /// The name of the algorithm [`Key::sign`] uses.
    pub(super) fn algorithm(&self) -> &'static [u8] {
        match self {
            Self::Rsa(_) => &RSA_SHA256,
            Self::Ecdsa(_) => &ECDSA_SHA256,
            Self::Ed25519(_) => &ED25519,
        }
    }

    /// Signs a message.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            Self::Rsa(key) => {
                let scheme = rsa::Pkcs1v15Sign { hash_len: Some(32), prefix: SHA256_PREFIX.into() };
                key.sign(scheme, &Sha256::digest(message)).map_err(|error| error.to_string())
            }
            Self::Ecdsa(key) => {
                let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from(key).sign(message);
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Self::Ed25519(key) => Ok(key.sign(message).to_bytes().to_vec()),
        }
    }
}
