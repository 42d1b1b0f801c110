//! The cache in Redis: short time limits, one connection that heals itself, keys as the original lays them out.

use crate::{CacheError, LAYOUT};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisError};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// How long Redis may take: a slow cache is worse than none.
const ANSWER: Duration = Duration::from_secs(2);
/// How long a lost subscription waits before it is tried again.
const RESUBSCRIBE: Duration = Duration::from_secs(1);

/// Where Redis is and how it is entered.
#[derive(Clone, Default)]
pub struct RedisOptions {
    /// `host:port`.
    pub address: String,
    /// Number of the database.
    pub database: i64,
    /// User name; empty for the default user.
    pub username: String,
    /// Password; empty for none.
    pub password: String,
    /// Speak TLS.
    pub tls: bool,
    /// Do not verify the server's certificate.
    pub insecure_skip_verify: bool,
    /// Put before every key (`ARGOCD_REDIS_KEY_PREFIX`).
    pub key_prefix: String,
    /// Whether values are gzipped, which their keys say.
    pub compress: bool,
}

/// Without the password.
impl fmt::Debug for RedisOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RedisOptions").field("address", &self.address).finish_non_exhaustive()
    }
}

#[derive(Clone)]
pub(crate) struct Redis {
    client: Client,
    connection: Arc<OnceCell<ConnectionManager>>,
    options: Arc<RedisOptions>,
}

impl fmt::Debug for Redis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.options.fmt(formatter)
    }
}

impl Redis {
    pub(crate) fn new(options: RedisOptions) -> Result<Self, CacheError> {
        let (host, port) = options
            .address
            .rsplit_once(':')
            .and_then(|(host, port)| Some((host.trim_matches(['[', ']']).to_owned(), port.parse().ok()?)))
            .ok_or_else(|| CacheError::Options(format!("address {:?} is not host:port", options.address)))?;
        let address = if options.tls {
            ConnectionAddr::TcpTls { host, port, insecure: options.insecure_skip_verify, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let mut login = RedisConnectionInfo::default().set_db(options.database);
        if !options.username.is_empty() {
            login = login.set_username(&options.username);
        }
        if !options.password.is_empty() {
            login = login.set_password(&options.password);
        }
        let info = address
            .into_connection_info()
            .map_err(|error| CacheError::Options(error.to_string()))?
            .set_redis_settings(login);
        let client = Client::open(info).map_err(|error| CacheError::Options(error.to_string()))?;
        Ok(Self { client, connection: Arc::default(), options: Arc::new(options) })
    }

    pub(crate) fn key(&self, key: &str) -> String {
        let ending = if self.options.compress { ".gz" } else { "" };
        format!("{}{key}{LAYOUT}{ending}", self.options.key_prefix)
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        let mut connection = self.connection("GET").await?;
        let stored: Option<Vec<u8>> = limited("GET", connection.get(self.key(key))).await?;
        match stored {
            Some(value) if self.options.compress => crate::decompress(&value)
                .map(|value| Some(value.into()))
                .ok_or(CacheError::Corrupt { key: key.to_owned(), reason: "it is not gzip, or too large" }),
            other => Ok(other.map(Bytes::from)),
        }
    }

    pub(crate) async fn set(&self, key: &str, value: Bytes, keep: Duration) -> Result<(), CacheError> {
        let mut connection = self.connection("SET").await?;
        let stored = if self.options.compress { crate::compress(&value) } else { value.to_vec() };
        let seconds = keep.as_secs().max(1);
        limited("SET", connection.set_ex::<_, _, ()>(self.key(key), stored, seconds)).await
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), CacheError> {
        let mut connection = self.connection("DEL").await?;
        limited("DEL", connection.del::<_, ()>(self.key(key))).await
    }

    pub(crate) async fn publish(&self, channel: &str) -> Result<(), CacheError> {
        let mut connection = self.connection("PUBLISH").await?;
        limited("PUBLISH", connection.publish::<_, _, ()>(format!("{channel}{LAYOUT}"), "")).await
    }

    pub(crate) async fn ping(&self) -> Result<(), CacheError> {
        let mut connection = self.connection("PING").await?;
        limited("PING", connection.ping::<()>()).await
    }

    pub(crate) async fn subscribe(&self, channel: &str) -> Result<BoxStream<'static, ()>, CacheError> {
        let state =
            Subscription { client: self.client.clone(), channel: format!("{channel}{LAYOUT}"), stream: None };
        let mut state = state;
        state.connect().await?;
        Ok(stream::unfold(state, |mut state| async move {
            state.next().await;
            Some(((), state))
        })
        .boxed())
    }

    async fn connection(&self, command: &'static str) -> Result<ConnectionManager, CacheError> {
        let connect = self.connection.get_or_try_init(|| async {
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(ANSWER))
                .set_response_timeout(Some(ANSWER))
                .set_number_of_retries(1);
            self.client.get_connection_manager_with_config(config).await
        });
        limited(command, connect).await.cloned()
    }
}

/// A subscription that outlives its connection.
struct Subscription {
    client: Client,
    channel: String,
    stream: Option<redis::aio::PubSubStream>,
}

impl Subscription {
    async fn connect(&mut self) -> Result<(), CacheError> {
        let (mut sink, stream) = limited("SUBSCRIBE", self.client.get_async_pubsub()).await?.split();
        limited("SUBSCRIBE", sink.subscribe(&self.channel)).await?;
        // The connection lives as long as its sink: the stream alone would end at once.
        let channel = self.channel.clone();
        self.stream = Some(stream);
        tokio::spawn(hold(sink, channel));
        Ok(())
    }

    /// Waits for a message, or for the connection to be back after a gap.
    async fn next(&mut self) {
        if let Some(stream) = &mut self.stream
            && stream.next().await.is_some()
        {
            return;
        }
        self.stream = None;
        while let Err(error) = self.connect().await {
            tracing::warn!(%error, channel = self.channel, "subscribe again");
            tokio::time::sleep(RESUBSCRIBE).await;
        }
    }
}

/// Keeps a subscription's sink until Redis no longer takes it.
async fn hold(mut sink: redis::aio::PubSubSink, channel: String) {
    loop {
        tokio::time::sleep(Duration::from_secs(30)).await;
        if sink.subscribe(&channel).await.is_err() {
            return;
        }
    }
}

async fn limited<T, E: Into<RedisError>>(
    command: &'static str,
    operation: impl Future<Output = Result<T, E>>,
) -> Result<T, CacheError> {
    match tokio::time::timeout(ANSWER, operation).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(CacheError::Redis { command, reason: error.into().to_string() }),
        Err(_) => Err(CacheError::Timeout { command, limit: ANSWER }),
    }
}
