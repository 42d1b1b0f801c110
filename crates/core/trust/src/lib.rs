//! What servers and commits are recognised by: keys of SSH hosts, TLS certificates, public keys that sign. Reads texts
//! as users paste them; knows nothing of where they are kept or what is verified with them.

mod certificate;
mod host_name;
mod known_hosts;
mod public_key;

pub use certificate::{Certificate, InvalidCertificate, certificates};
pub use host_name::{is_host_name, matches};
pub use known_hosts::{InvalidHostKey, KnownHost, known_hosts};
pub use public_key::{InvalidPublicKey, PublicKey, key_id, public_keys};
