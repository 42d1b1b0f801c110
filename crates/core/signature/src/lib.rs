//! OpenPGP and SSH keys and signatures, and what a project demands of them. Knows nothing of Git's objects: it gets the text
//! that was signed and the signature.

mod keyring;
pub mod policy;
pub mod ssh;

pub use keyring::{InvalidKey, Keyring, PublicKey, Verdict, Verification};
