//! What templates ask of the world: nothing here happens unless a program allows it.

use crate::text::Text;
use crate::value::Value;
use jiff::Timestamp;

/// The world as templates see it. Every answer has a harmless default: the epoch, no randomness, nothing found.
pub trait Outside {
    /// The time, for `now`, `ago`, `date` and the validity of certificates.
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    /// The name of the local time zone.
    fn time_zone(&self) -> &str {
        "UTC"
    }

    /// Fills a buffer with random bytes, or says why not. Everything random comes from here.
    fn random(&mut self, buffer: &mut [u8]) -> Result<(), String> {
        let _ = buffer;
        Err("no source of randomness".into())
    }

    /// A variable of the environment, for `env` and `expandenv`.
    fn environment(&self, name: &str) -> String {
        let _ = name;
        String::new()
    }

    /// An address of a host, for `getHostByName`.
    fn host_by_name(&mut self, name: &str) -> String {
        let _ = name;
        String::new()
    }

    /// An object of the cluster or a list of them; an empty map when there is none, as Helm's `lookup` answers.
    fn lookup(
        &mut self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, String> {
        let _ = (api_version, kind, namespace, name);
        Ok(crate::value::Map::any(std::collections::BTreeMap::new()))
    }
}

/// The world that is not there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Outside for Nowhere {}

/// A source of randomness for crates that want one, over [`Outside::random`].
pub(crate) struct Randomness<'o> {
    pub(crate) outside: &'o mut dyn Outside,
    /// The first failure; what is drawn after it is zeros and must not be used.
    pub(crate) failure: Option<String>,
}

impl Randomness<'_> {
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) {
        if let Err(failure) = self.outside.random(buffer) {
            buffer.fill(0);
            self.failure.get_or_insert(failure);
        }
    }

    /// An even choice below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let bound = bound.max(1);
        let zone = u64::MAX - u64::MAX % bound;
        for _ in 0..64 {
            let mut buffer = [0; 8];
            self.fill(&mut buffer);
            let drawn = u64::from_le_bytes(buffer);
            if drawn < zone {
                return drawn % bound;
            }
        }
        0
    }

    pub(crate) fn text(&mut self, length: usize, alphabet: &[u8]) -> Text {
        let count = u64::try_from(alphabet.len()).unwrap_or(1);
        let pick = |draw: u64| usize::try_from(draw).ok().and_then(|at| alphabet.get(at)).copied();
        Text::from((0..length).filter_map(|_| pick(self.below(count))).collect::<Vec<u8>>())
    }
}
