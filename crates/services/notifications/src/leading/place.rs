//! Where a process runs, so certainly that who runs there later knows the former one to be gone.
//!
//! A name bound in a network namespace is one process' until it ends: the kernel sees to that, not a clock. The containers of a pod share
//! their namespace, and one that starts anew finds it as it was. A namespace has its number for as long as somebody is in it. So
//! whoever holds the name, and finds the same boot of the same kernel and the same number written by a former holder, knows that
//! the writer has ended.

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

/// The longest name that can be bound, in bytes.
const LONGEST: usize = 100;

/// A name that is bound by this process.
pub(super) struct Place {
    name: String,
    _bound: UnixListener,
}

impl Place {
    /// The place, taken by this process for a purpose. Nothing where another process has taken it, or the kernel does not say where this is.
    pub(super) fn taken(purpose: &str) -> Option<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let namespace = fs::read_link("/proc/self/ns/net").ok()?;
        let number: String = namespace.to_str()?.chars().filter(char::is_ascii_digit).collect();
        if boot.trim().is_empty() || number.is_empty() {
            return None;
        }
        let bound = purpose.as_bytes().get(..purpose.len().min(LONGEST))?;
        let bound = SocketAddr::from_abstract_name(bound).ok()?;
        let bound = UnixListener::bind_addr(&bound).ok()?;
        Some(Self { name: format!("{}.{number}", boot.trim()), _bound: bound })
    }

    /// What the boot and the namespace are called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn one_process_has_a_place_until_it_ends() {
        let purpose = format!("test/{}", std::process::id());
        let first = Place::taken(&purpose).expect("the place is free");
        assert!(Place::taken(&purpose).is_none(), "it is taken");
        assert!(Place::taken(&format!("{purpose}/other")).is_some(), "for another purpose it is free");
        let name = first.name().to_owned();
        drop(first);
        assert_eq!(Place::taken(&purpose).expect("it is free again").name(), name);
    }
}
