//! The machine as templates may see it: its time and its randomness.

use gotemplate::Outside;

/// This machine.
pub struct Machine;

impl Outside for Machine {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn random(&mut self, buffer: &mut [u8]) -> Result<(), String> {
        rand::TryRngCore::try_fill_bytes(&mut rand::rngs::OsRng, buffer).map_err(|error| error.to_string())
    }
}
