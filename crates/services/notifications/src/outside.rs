//! The machine as templates may see it: its time and zone, its randomness, the names it can look up.

use gotemplate::Outside;
use jiff::tz::TimeZone;
use notify::Zone;
use std::net::ToSocketAddrs as _;
use std::sync::LazyLock;

/// The zone of `TZ`, or the machine's.
static ZONE: LazyLock<Zone> = LazyLock::new(|| {
    let system = TimeZone::system();
    system.iana_name().and_then(|name| Zone::find(name).ok()).unwrap_or(Zone::Utc)
});

/// This machine.
pub struct Machine;

impl Machine {
    /// The zone its clocks show.
    pub fn zone() -> &'static Zone {
        &ZONE
    }
}

impl Outside for Machine {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn time_zone(&self) -> &str {
        ZONE.name()
    }

    fn random(&mut self, buffer: &mut [u8]) -> Result<(), String> {
        rand::TryRngCore::try_fill_bytes(&mut rand::rngs::OsRng, buffer).map_err(|error| error.to_string())
    }

    fn host_by_name(&mut self, name: &str) -> String {
        // Templates are rendered on threads that may wait.
        let found = (name, 0).to_socket_addrs().ok().and_then(|mut found| found.next());
        found.map(|address| address.ip().to_string()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up() {
        let found = Machine.host_by_name("localhost");
        assert!(found == "127.0.0.1" || found == "::1", "{found}");
        assert_eq!(Machine.host_by_name("no such name"), "");
    }
}
