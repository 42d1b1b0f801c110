//! The cache in Redis: short time limits, one connection that heals itself, keys as the original lays them out.

use crate::metrics::Metrics;
use crate::{CacheError, LAYOUT};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{
    AsyncCommands, Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo,
    RedisError, TlsCertificates,
};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// How long Redis may take: a slow cache is worse than none.
const ANSWER: Duration = Duration::from_secs(2);
/// After a failure nobody asks again for so long: what waits for a lost Redis waits once, not at every entry.
const PAUSE: Duration = Duration::from_secs(1);
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
    /// Who vouches for the server, as PEM; else the system's authorities.
    pub certificate_authority: Option<Vec<u8>>,
    /// A certificate to show, as PEM.
    pub client_certificate: Option<Vec<u8>>,
    /// Its key, as PEM.
    pub client_key: Option<Vec<u8>>,
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
    metrics: Option<Metrics>,
    failed: Arc<Mutex<Option<(Instant, CacheError)>>>,
}

impl fmt::Debug for Redis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.options.fmt(formatter)
    }
}

impl Redis {
    pub(crate) fn new(options: RedisOptions, metrics: Option<Metrics>) -> Result<Self, CacheError> {
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
        let client_tls = match (&options.client_certificate, &options.client_key) {
            (Some(certificate), Some(key)) => {
                Some(ClientTlsConfig { client_cert: certificate.clone(), client_key: key.clone() })
            }
            _ => None,
        };
        let client = if options.tls && (client_tls.is_some() || options.certificate_authority.is_some()) {
            let certificates =
                TlsCertificates { client_tls, root_cert: options.certificate_authority.clone() };
            Client::build_with_tls(info, certificates)
        } else {
            Client::open(info)
        };
        let client = client.map_err(|error| CacheError::Options(error.to_string()))?;
        let (connection, failed) = (Arc::default(), Arc::default());
        Ok(Self { client, connection, options: Arc::new(options), metrics, failed })
    }

    pub(crate) fn key(&self, key: &str) -> String {
        let ending = if self.options.compress { ".gz" } else { "" };
        format!("{}{key}{LAYOUT}{ending}", self.options.key_prefix)
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        let stored: Option<Vec<u8>> =
            self.ask("GET", async |mut connection| connection.get(self.key(key)).await).await?;
        match stored {
            Some(value) if self.options.compress => crate::decompress(&value)
                .map(|value| Some(value.into()))
                .ok_or(CacheError::Corrupt { key: key.to_owned(), reason: "it is not gzip, or too large" }),
            other => Ok(other.map(Bytes::from)),
        }
    }

    pub(crate) async fn set(&self, key: &str, value: Bytes, keep: Duration) -> Result<(), CacheError> {
        let stored = if self.options.compress { crate::compress(&value) } else { value.to_vec() };
        let seconds = keep.as_secs().max(1);
        self.ask("SET", async |mut connection| connection.set_ex(self.key(key), stored, seconds).await).await
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), CacheError> {
        self.ask("DEL", async |mut connection| connection.del(self.key(key)).await).await
    }

    pub(crate) async fn publish(&self, channel: &str) -> Result<(), CacheError> {
        let channel = format!("{channel}{LAYOUT}");
        self.ask("PUBLISH", async |mut connection| connection.publish(channel, "").await).await
    }

    pub(crate) async fn ping(&self) -> Result<(), CacheError> {
        self.ask("PING", async |mut connection| connection.ping().await).await
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

    /// Asks Redis, counts it, and remembers for a moment that Redis is lost.
    async fn ask<T>(
        &self,
        command: &'static str,
        work: impl AsyncFnOnce(ConnectionManager) -> Result<T, RedisError>,
    ) -> Result<T, CacheError> {
        if let Some((at, error)) = &*self.failed.lock().unwrap_or_else(PoisonError::into_inner)
            && at.elapsed() < PAUSE
        {
            return Err(error.clone());
        }
        let began = Instant::now();
        let answer = limited(command, async {
            let connection = self.connection().await?;
            work(connection).await
        })
        .await;
        if let Some(metrics) = &self.metrics {
            metrics.count(command, answer.is_err(), began.elapsed());
        }
        let failure = answer.as_ref().err().map(|error| (Instant::now(), error.clone()));
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failure;
        answer
    }

    async fn connection(&self) -> Result<ConnectionManager, RedisError> {
        let connect = self.connection.get_or_try_init(|| async {
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(ANSWER))
                .set_response_timeout(Some(ANSWER))
                .set_number_of_retries(1);
            self.client.get_connection_manager_with_config(config).await
        });
        connect.await.cloned()
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
