//! The cache of a single process.

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use moka::Expiry;
use moka::sync::Cache;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

#[derive(Clone, Debug)]
pub(crate) struct Memory {
    entries: Cache<String, Entry>,
    channels: Arc<Mutex<HashMap<String, watch::Sender<()>>>>,
}

#[derive(Clone, Debug)]
struct Entry {
    value: Bytes,
    keep: Duration,
}

struct PerEntry;

impl Expiry<String, Entry> for PerEntry {
    fn expire_after_create(&self, _: &String, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.keep)
    }

    fn expire_after_update(
        &self,
        _: &String,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.keep)
    }
}

impl Memory {
    pub(crate) fn new(capacity_bytes: u64) -> Self {
        let entries = Cache::builder()
            .max_capacity(capacity_bytes)
            .weigher(|key: &String, entry: &Entry| {
                u32::try_from(key.len() + entry.value.len() + 96).unwrap_or(u32::MAX)
            })
            .expire_after(PerEntry)
            .build();
        Self { entries, channels: Arc::default() }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Bytes> {
        self.entries.get(key).map(|entry| entry.value)
    }

    pub(crate) fn set(&self, key: &str, value: Bytes, keep: Duration) {
        self.entries.insert(key.to_owned(), Entry { value, keep });
    }

    pub(crate) fn delete(&self, key: &str) {
        self.entries.invalidate(key);
    }

    pub(crate) fn publish(&self, channel: &str) {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = channels.get(channel)
            && sender.send(()).is_err()
        {
            // The last listener is gone, and with it the reason to remember the channel.
            channels.remove(channel);
        }
    }

    pub(crate) fn subscribe(&self, channel: &str) -> BoxStream<'static, ()> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = channels.entry(channel.to_owned()).or_insert_with(|| watch::channel(()).0).subscribe();
        stream::unfold(receiver, |mut receiver| async move {
            receiver.changed().await.ok()?;
            Some(((), receiver))
        })
        .boxed()
    }
}
