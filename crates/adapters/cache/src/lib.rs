//! The cache between components: Redis where an address is given, memory where all run in one process.
//! Losing it loses time and nothing else; what could change a cluster is sealed with a key.
//! Knows keys and bytes, not what they mean.

mod error;
mod memory;
mod metrics;
mod redis_backend;
mod seal;
mod start;
mod text;

pub use error::CacheError;
pub use redis_backend::RedisOptions;
pub use seal::Seal;
pub use start::start;
pub use text::{compress, decompress};

use bytes::Bytes;
use futures::stream::BoxStream;
use std::time::Duration;

/// Ends every key and channel, as the original's entries do: entries of another layout are never read.
pub const LAYOUT: &str = "|1.8.3";

/// A cache. Cheap to clone; all clones are the same cache.
#[derive(Clone, Debug)]
pub struct Cache(Backend);

#[derive(Clone, Debug)]
enum Backend {
    Memory(memory::Memory),
    Redis(Box<redis_backend::Redis>),
}

impl Cache {
    /// A cache in this process' memory that holds at most so many bytes of values.
    pub fn memory(capacity_bytes: u64) -> Self {
        Self(Backend::Memory(memory::Memory::new(capacity_bytes)))
    }

    /// A cache in Redis. Nothing is connected before the first use, and a lost Redis is found again.
    pub fn redis(options: RedisOptions) -> Result<Self, CacheError> {
        Ok(Self(Backend::Redis(Box::new(redis_backend::Redis::new(options, None)?))))
    }

    fn with_metrics(options: RedisOptions, metrics: metrics::Metrics) -> Result<Self, CacheError> {
        Ok(Self(Backend::Redis(Box::new(redis_backend::Redis::new(options, Some(metrics))?))))
    }

    /// The value of a key; nothing when there is none or its time is over.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        match &self.0 {
            Backend::Memory(memory) => Ok(memory.get(key)),
            Backend::Redis(redis) => redis.get(key).await,
        }
    }

    /// Keeps a value for a time.
    pub async fn set(&self, key: &str, value: Bytes, keep: Duration) -> Result<(), CacheError> {
        match &self.0 {
            Backend::Memory(memory) => {
                memory.set(key, value, keep);
                Ok(())
            }
            Backend::Redis(redis) => redis.set(key, value, keep).await,
        }
    }

    /// Forgets a key.
    pub async fn delete(&self, key: &str) -> Result<(), CacheError> {
        match &self.0 {
            Backend::Memory(memory) => {
                memory.delete(key);
                Ok(())
            }
            Backend::Redis(redis) => redis.delete(key).await,
        }
    }

    /// Tells everybody who listens on a channel that something happened.
    pub async fn publish(&self, channel: &str) -> Result<(), CacheError> {
        match &self.0 {
            Backend::Memory(memory) => {
                memory.publish(channel);
                Ok(())
            }
            Backend::Redis(redis) => redis.publish(channel).await,
        }
    }

    /// An item for each message on a channel from now on. A gap (a lost connection, a slow reader) is an item
    /// too, so that a listener who reads the state anew at every item misses nothing.
    pub async fn subscribe(&self, channel: &str) -> Result<BoxStream<'static, ()>, CacheError> {
        match &self.0 {
            Backend::Memory(memory) => Ok(memory.subscribe(channel)),
            Backend::Redis(redis) => redis.subscribe(channel).await,
        }
    }

    /// Whether the cache answers.
    pub async fn ping(&self) -> Result<(), CacheError> {
        match &self.0 {
            Backend::Memory(_) => Ok(()),
            Backend::Redis(redis) => redis.ping().await,
        }
    }

    /// The key under which a value is stored, with its layout and compression.
    pub fn key(&self, key: &str) -> String {
        match &self.0 {
            Backend::Memory(_) => key.to_owned(),
            Backend::Redis(redis) => redis.key(key),
        }
    }
}
