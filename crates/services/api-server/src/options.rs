//! What the api-server is set up with.

use crate::cookies::MOST_COOKIES;
use auth::ThrottleOptions;
use boot::flags::Flags;
use object::Secret;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use transport::ProtocolNames;

/// Where the certificates of the bundled Dex are mounted.
const DEX_AUTHORITY: &str = "/app/config/dex/tls/ca.crt";

/// Where extensions are mounted.
const EXTENSIONS: &str = "/tmp/extensions";

/// Where the pages are mounted.
const STATIC_ASSETS: &str = "/shared/app";

/// How the bundled Dex is reached.
#[derive(Clone, Debug)]
pub struct DexOptions {
    /// Its address, with its scheme.
    pub address: String,
    /// Whose certificates are believed.
    pub certificates: forward::Certificates,
}

impl Default for DexOptions {
    fn default() -> Self {
        Self {
            address: "https://argocd-dex-server:5556".into(),
            certificates: forward::Certificates::NotVerified,
        }
    }
}

impl DexOptions {
    /// From flags. Dex makes a certificate of its own at start unless it is given one, so only strict mode looks at it.
    pub(crate) fn from_flags(flags: &Flags) -> std::io::Result<Self> {
        let address = flags.text("dex-server");
        let plain = flags.bool("dex-server-plaintext");
        let address = match (address.contains("://"), plain) {
            (true, _) => address,
            (false, true) => format!("http://{address}"),
            (false, false) => format!("https://{address}"),
        };
        let strict = flags.bool("dex-server-strict-tls") && !plain;
        let certificates = if strict {
            let read = std::fs::read(DEX_AUTHORITY);
            forward::Certificates::SignedBy(read.map_err(|error| {
                std::io::Error::new(
                    error.kind(),
                    format!("read {DEX_AUTHORITY} for --dex-server-strict-tls: {error}"),
                )
            })?)
        } else {
            forward::Certificates::NotVerified
        };
        Ok(Self { address, certificates })
    }
}

/// Switches, limits and paths.
#[derive(Clone, Debug)]
pub struct Options {
    /// Serves without TLS; cookies then lack `Secure`.
    pub insecure: bool,
    /// Versions of TLS and ciphers.
    pub tls: ProtocolNames,
    /// Answers everybody everything: for use behind something that authenticates.
    pub disable_auth: bool,
    /// Whoever has this token may do everything, and nobody else anything: the server of one call of `argocd --core`.
    pub local_token: Option<Secret<String>>,
    /// Path prefix of every route, without a slash at its ends.
    pub root_path: String,
    /// Path that pages and cookies are for.
    pub base_href: String,
    /// Content types that REST requests other than GET must have; none lets everything pass.
    pub content_types: Vec<String>,
    /// Whether the API is described on a page.
    pub describes_api: bool,
    /// Compresses REST answers.
    pub gzip: bool,
    /// Header `X-Frame-Options`; empty for none.
    pub frame_options: String,
    /// Header `Content-Security-Policy`; empty for none.
    pub content_security_policy: String,
    /// Whether a sync may be asked to replace.
    pub replace_allowed: bool,
    /// Whether the hydrator is shown.
    pub hydrator: bool,
    /// Reasons of Kubernetes events that are written; `all` and `none` mean what they say.
    pub event_reasons: Vec<String>,
    /// The login throttle.
    pub throttle: ThrottleOptions,
    /// Logins at once; 0 for no limit.
    pub parallel_logins: usize,
    /// Cookies that a session of an identity provider may need.
    pub most_cookies: usize,
    /// How long it is remembered whether a repository answers.
    pub connection_keep: Duration,
    /// How the bundled Dex is reached.
    pub dex: DexOptions,
    /// How long an identity provider's configuration and keys are good without asking again.
    pub oidc_keep: Duration,
    /// File with the pod's own token, where that stands for a client secret at the identity provider.
    pub azure_token_file: String,
    /// Whether extensions may have backends.
    pub proxy_extensions: bool,
    /// Folder of the extensions' scripts.
    pub extensions_folder: String,
    /// The program that is offered for download; none where it is not one that a user could call.
    pub program: Option<PathBuf>,
    /// Folder of the pages' files.
    pub static_assets: String,
    /// Pushes that are looked at at once.
    pub webhook_parallelism: usize,
    /// Refreshes asked of the API server at once.
    pub webhook_refreshes: usize,
    /// The largest message and the largest body of a REST request, in bytes.
    pub message_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            insecure: false,
            tls: ProtocolNames::default(),
            disable_auth: false,
            local_token: None,
            root_path: String::new(),
            base_href: "/".into(),
            content_types: vec!["application/json".into()],
            describes_api: true,
            gzip: true,
            frame_options: "sameorigin".into(),
            content_security_policy: "frame-ancestors 'self';".into(),
            replace_allowed: true,
            hydrator: false,
            event_reasons: vec!["all".into()],
            throttle: ThrottleOptions::default(),
            parallel_logins: 50,
            most_cookies: 20,
            connection_keep: Duration::from_secs(3600),
            dex: DexOptions::default(),
            oidc_keep: Duration::from_secs(180),
            azure_token_file: String::new(),
            proxy_extensions: false,
            extensions_folder: EXTENSIONS.into(),
            program: None,
            static_assets: STATIC_ASSETS.into(),
            webhook_parallelism: 50,
            webhook_refreshes: 20,
            message_limit: wire::MESSAGE_LIMIT,
        }
    }
}

impl Options {
    /// From flags and environment.
    pub fn from_flags(flags: &Flags, environment: &BTreeMap<String, String>) -> Self {
        fn number<T: std::str::FromStr>(environment: &BTreeMap<String, String>, name: &str, default: T) -> T {
            environment.get(name).and_then(|text| text.parse().ok()).unwrap_or(default)
        }
        let defaults = ThrottleOptions::default();
        let root_path = flags.text("rootpath").trim_matches('/').to_owned();
        let at_once = |name: &'static str| usize::try_from(flags.int(name)).unwrap_or(1).clamp(1, 1000);
        Self {
            insecure: flags.bool("insecure"),
            tls: ProtocolNames::from_flags(flags),
            disable_auth: flags.bool("disable-auth"),
            local_token: environment
                .get("ARGOCD_SERVER_LOCAL_TOKEN")
                .filter(|token| !token.is_empty())
                .map(|token| Secret::new(token.clone())),
            base_href: base_href(flags, &root_path),
            root_path,
            content_types: flags
                .text("api-content-types")
                .split(';')
                .flat_map(|part| part.split(','))
                .map(|word| word.trim().to_ascii_lowercase())
                .filter(|word| !word.is_empty())
                .collect(),
            describes_api: !flags.bool("disable-swagger-ui"),
            gzip: flags.bool("enable-gzip"),
            frame_options: flags.text("x-frame-options"),
            content_security_policy: flags.text("content-security-policy"),
            replace_allowed: flags.bool("sync-with-replace-allowed"),
            hydrator: flags.bool("hydrator-enabled"),
            event_reasons: flags.list("enable-k8s-event"),
            throttle: ThrottleOptions {
                // What is out of range is as if it were not set: no number turns the throttle off.
                failures: Some(number(
                    environment,
                    "ARGOCD_SESSION_FAILURE_MAX_FAIL_COUNT",
                    defaults.failures,
                ))
                .filter(|failures| *failures > 0)
                .unwrap_or(defaults.failures),
                window_seconds: Some(number(
                    environment,
                    "ARGOCD_SESSION_FAILURE_WINDOW_SECONDS",
                    defaults.window_seconds,
                ))
                .filter(|seconds| (0..=i64::from(i32::MAX)).contains(seconds))
                .unwrap_or(defaults.window_seconds),
                names: number(environment, "ARGOCD_SESSION_MAX_CACHE_SIZE", defaults.names).max(1),
            },
            parallel_logins: share(
                number(environment, "ARGOCD_MAX_CONCURRENT_LOGIN_REQUESTS_COUNT", 50),
                number(environment, "ARGOCD_API_SERVER_REPLICAS", 1),
            ),
            most_cookies: number::<usize>(environment, "ARGOCD_MAX_COOKIE_NUMBER", 20).min(MOST_COOKIES),
            connection_keep: flags.duration("connection-status-cache-expiration"),
            dex: DexOptions::default(),
            oidc_keep: flags.duration("oidc-cache-expiration"),
            azure_token_file: environment.get("AZURE_FEDERATED_TOKEN_FILE").cloned().unwrap_or_default(),
            proxy_extensions: flags.bool("enable-proxy-extension"),
            extensions_folder: EXTENSIONS.into(),
            program: own_program(),
            static_assets: flags.text("staticassets"),
            webhook_parallelism: at_once("webhook-parallelism-limit"),
            webhook_refreshes: at_once("webhook-refresh-workers"),
            message_limit: boot::limit::message_limit(environment, wire::MESSAGE_LIMIT),
        }
    }
}

/// One replica's share of a limit for all of them; 0 is no limit, and never a share of one.
fn share(limit: usize, replicas: usize) -> usize {
    (limit / replicas.max(1)).max(usize::from(limit > 0))
}

/// This program, which is the command line, too; where it is called otherwise, it is something else.
fn own_program() -> Option<PathBuf> {
    let is_called =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("argocd"));
    std::env::current_exe().ok().filter(is_called)
}

/// The path that pages are for: the root path, where there is one.
fn base_href(flags: &Flags, root_path: &str) -> String {
    let given = flags.text("basehref");
    if root_path.is_empty() {
        return given;
    }
    if flags.given("basehref") && given.trim_matches('/') != root_path {
        tracing::warn!(basehref = %given, rootpath = %root_path, "--basehref and --rootpath differ: the latter counts");
    }
    format!("/{root_path}")
}
