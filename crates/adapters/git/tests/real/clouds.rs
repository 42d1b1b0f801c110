//! Credentials of Google and Azure, against a server that gives out tokens as they do and serves the repository.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use git::{Azure, AzureWorkload, Cause, Options, Repositories, Repository};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use object::Secret;
use serde_json::{Value, json};

use crate::github::key;
use crate::support::{Gate, Seen, Server, Source, head, repositories_with, run};

const SECRET: &str = "canary-Zx81+/";

/// What was asked of the token endpoint.
type Asked = Arc<Mutex<Vec<(String, Vec<(String, String)>)>>>;

struct Site {
    _root: tempfile::TempDir,
    server: Server,
    asked: Asked,
    given: Arc<AtomicUsize>,
    cache: tempfile::TempDir,
}

impl Site {
    /// Tokens are given out below `/tokens/`; `door` says what header a token opens the repository with.
    fn new(door: fn(&str) -> String) -> Self {
        let (source, root) = (Source::new(), tempfile::tempdir().unwrap());
        let bare = root.path().join("apps.git");
        run(
            root.path(),
            &["clone", "-q", "--bare", source.folder.path().to_str().unwrap(), bare.to_str().unwrap()],
        );
        let (asked, given) = (Asked::default(), Arc::<AtomicUsize>::default());
        let (seen_forms, count) = (asked.clone(), given.clone());
        let route = move |seen: &Seen| {
            if let Some(place) = seen.target.strip_prefix("/tokens") {
                let form: Vec<(String, String)> =
                    url::form_urlencoded::parse(&seen.body).into_owned().collect();
                let refused = form.iter().any(|(_, value)| value == "wrong");
                seen_forms.lock().unwrap().push((place.to_owned(), form));
                if refused {
                    let told = format!("{{\"error\":\"invalid_client\",\"error_description\":\"{SECRET}\"}}");
                    return Some((401, told.into_bytes()));
                }
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let answer = json!({"access_token": format!("token-{number}"), "expires_in": 3600, "token_type": "Bearer"});
                return Some((200, answer.to_string().into_bytes()));
            }
            let token = format!("token-{}", count.load(Ordering::SeqCst));
            let opens = seen.headers.get("authorization") == Some(&door(&token));
            (!opens).then(|| (401, Vec::new()))
        };
        let gate = Gate { route: Some(Arc::new(route)), ..Gate::default() };
        let server = Server::start(root.path(), gate, false);
        Self { _root: root, server, asked, given, cache: tempfile::tempdir().unwrap() }
    }

    fn repository(&self) -> Repository {
        Repository { url: self.server.url("apps.git"), ..Repository::default() }
    }

    fn repositories(&self, options: Options) -> Repositories {
        repositories_with(self.cache.path(), options).0
    }

    fn tokens(&self) -> String {
        self.server.url("tokens")
    }

    fn form(&self) -> (String, impl Fn(&str) -> String) {
        let (place, form) = self.asked.lock().unwrap().last().unwrap().clone();
        let of = move |name: &str| {
            form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
        };
        (place, of)
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn the_key_of_a_service_account_of_google_buys_a_token() {
    let door = |token: &str| format!("Basic {}", STANDARD.encode(format!("robot@shop.example:{token}")));
    let site = Site::new(door);
    let folder = tempfile::tempdir().unwrap();
    let (private_key, public_key): (String, DecodingKey) = key(folder.path());
    let account = json!({
        "type": "service_account", "client_email": "robot@shop.example", "private_key_id": "k1",
        "private_key": private_key, "token_uri": format!("{}/google", site.tokens()),
    });
    let repository = Repository { google: Secret::from(account.to_string()), ..site.repository() };
    let repositories = site.repositories(Options::default());
    let revision = head(&repositories, &repository).await.unwrap();
    repositories.tree(&repository, &revision).await.unwrap();
    assert_eq!(site.given.load(Ordering::SeqCst), 1, "one token is enough");
    let (place, form) = site.form();
    assert_eq!(
        (place.as_str(), form("grant_type").as_str()),
        ("/google", "urn:ietf:params:oauth:grant-type:jwt-bearer")
    );
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[format!("{}/google", site.tokens())]);
    let word = decode::<Value>(&form("assertion"), &public_key, &validation).unwrap();
    assert_eq!(word.header.kid.as_deref(), Some("k1"));
    assert_eq!(word.claims["iss"], "robot@shop.example");
    assert_eq!(word.claims["scope"], "https://www.googleapis.com/auth/cloud-platform");

    let program = repositories.with_token(&repository).await.unwrap();
    assert_eq!(
        (program.username.as_str(), program.password.reveal().as_str()),
        ("robot@shop.example", "token-1")
    );
    for (text, told) in [
        (
            format!("{{\"type\": \"service_account\", \"private_key\": \"{SECRET}\"}}"),
            "private key cannot be read",
        ),
        (
            format!("{{\"type\": \"authorized_user\", \"x\": \"{SECRET}\"}}"),
            "not the key of a service account",
        ),
        (format!("{{{SECRET}"), "no JSON of a key"),
    ] {
        let repository = Repository { google: Secret::from(text), ..site.repository() };
        let error = head(&repositories, &repository).await.unwrap_err();
        let error = format!("{error} {error:?} {repository:?}");
        assert!(error.contains("gcpServiceAccountKey: ") && error.contains(told), "{error}");
        assert!(!error.contains(SECRET), "{error}");
    }
}

#[tokio::test]
async fn a_service_principal_of_azure_buys_a_token() {
    let site = Site::new(bearer);
    let azure = |secret: &str| Azure {
        tenant: "tenant-1".into(),
        client: "client-1".into(),
        client_secret: Secret::from(secret),
        authority: format!("{}/azure/", site.tokens()),
        workload: false,
    };
    let repository = Repository { azure: azure(SECRET), ..site.repository() };
    let repositories = site.repositories(Options::default());
    let revision = head(&repositories, &repository).await.unwrap();
    repositories.tree(&repository, &revision).await.unwrap();
    assert_eq!(site.given.load(Ordering::SeqCst), 1, "one token is enough");
    let (place, form) = site.form();
    assert_eq!(place, "/azure/tenant-1/oauth2/v2.0/token");
    for (name, value) in [
        ("grant_type", "client_credentials"),
        ("scope", "499b84ac-1321-427f-aa17-267ca6975798/.default"),
        ("client_id", "client-1"),
        ("client_secret", SECRET),
    ] {
        assert_eq!(form(name), value, "{name}");
    }
    let refused = Repository { azure: azure("wrong"), ..site.repository() };
    let error = head(&repositories, &refused).await.unwrap_err();
    assert!(matches!(error.cause(), Some(Cause::AuthenticationRequired(_))), "{error}");
    assert!(
        error.to_string().contains(
            "azureServicePrincipalClientId: ask for a token: status 401 Unauthorized: invalid_client"
        ),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
}

#[tokio::test]
async fn the_identity_of_the_process_on_azure_buys_a_token() {
    let site = Site::new(bearer);
    let file = site.cache.path().join("federated");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let workload = AzureWorkload {
        tenant: "tenant-2".into(),
        client: "client-2".into(),
        token_file: file,
        authority: format!("{}/azure", site.tokens()),
    };
    let azure = Azure { workload: true, ..Azure::default() };
    let repository = Repository { azure, ..site.repository() };
    let repositories = site.repositories(Options { azure_workload: Some(workload), ..Options::default() });
    head(&repositories, &repository).await.unwrap();
    let (place, form) = site.form();
    assert_eq!(place, "/azure/tenant-2/oauth2/v2.0/token");
    assert_eq!((form("client_id").as_str(), form("client_assertion").as_str()), ("client-2", SECRET));
    let none = site.repositories(Options::default());
    let error = head(&none, &repository).await.unwrap_err();
    assert!(error.to_string().contains("useAzureWorkloadIdentity: AZURE_TENANT_ID"), "{error}");
}
