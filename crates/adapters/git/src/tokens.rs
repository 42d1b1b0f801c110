//! Tokens that are bought with other credentials when one is needed, and kept until shortly before they end. Blocks.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use object::Secret;
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use sha2::{Digest, Sha256};

use crate::{Cause, Repository, cloud, github_app, transport::Settings};

/// A token that ends sooner than this is not given out.
const MARGIN: Duration = Duration::from_secs(60);
/// One whose end cannot be read is kept for less than the hour they are good for.
pub(crate) const UNKNOWN: Duration = Duration::from_secs(300);
const MOST_TOKENS: usize = 4096;

/// Tokens that are good for a while.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<Kept>);

/// Tokens by what they are good for, and until when.
type Kept = BTreeMap<[u8; 32], (Secret<String>, Instant)>;

/// A token, and how long it is good.
pub(crate) type Bought = (Secret<String>, Duration);

impl Tokens {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next one who asks gets a new one.
    pub(crate) fn forget(&self, repository: &Repository) {
        if let Some(seller) = Seller::of(repository) {
            self.kept().remove(&seller.key(repository));
        }
    }
}

/// Who gives out tokens for a repository's credentials.
#[derive(Clone, Copy)]
enum Seller {
    GitHub,
    Google,
    /// For the identity of the process.
    AzureWorkload,
    AzurePrincipal,
}

impl Seller {
    /// The first of the credentials that there are, in the original's order. What needs no token wins.
    fn of(repository: &Repository) -> Option<Self> {
        let Repository { github_app, google, azure, .. } = repository;
        let principal =
            !azure.tenant.is_empty() && !azure.client.is_empty() && !azure.client_secret.is_empty();
        if !repository.password.is_empty() || !repository.bearer_token.is_empty() {
            None
        } else if github_app.id != 0 {
            Some(Self::GitHub)
        } else if !google.is_empty() {
            Some(Self::Google)
        } else if azure.workload {
            Some(Self::AzureWorkload)
        } else {
            principal.then_some(Self::AzurePrincipal)
        }
    }

    fn key(self, repository: &Repository) -> [u8; 32] {
        let azure = &repository.azure;
        match self {
            Self::GitHub => github_app::key(repository),
            Self::Google => digest(&["google", repository.google.reveal()]),
            Self::AzureWorkload => digest(&["azure workload"]),
            Self::AzurePrincipal => digest(&[
                "azure principal",
                &azure.tenant,
                &azure.client,
                azure.client_secret.reveal(),
                &azure.authority,
            ]),
        }
    }

    fn buy(self, repository: &Repository, settings: &Settings) -> Result<Bought, Cause> {
        match self {
            Self::GitHub => github_app::ask(repository, settings),
            Self::Google => cloud::google(repository, settings),
            Self::AzureWorkload => cloud::azure_workload(repository, settings),
            Self::AzurePrincipal => cloud::azure_principal(repository, settings),
        }
    }

    /// The repository with a token in the place of its other credentials.
    fn opened(self, repository: &Repository, token: Secret<String>) -> Repository {
        let given = repository.clone();
        match self {
            Self::GitHub => Repository { username: github_app::USER.to_owned(), password: token, ..given },
            Self::Google => Repository { username: cloud::google_user(repository), password: token, ..given },
            Self::AzureWorkload | Self::AzurePrincipal => Repository { bearer_token: token, ..given },
        }
    }
}

/// The repository with a token where it has credentials that buy one, and as it is otherwise.
pub(crate) fn with_token<'a>(
    repository: &'a Repository,
    settings: &Settings,
) -> Result<Cow<'a, Repository>, Cause> {
    let Some(seller) = Seller::of(repository) else { return Ok(Cow::Borrowed(repository)) };
    let key = seller.key(repository);
    let kept = settings.tokens.kept().get(&key).filter(|(_, end)| *end > Instant::now()).cloned();
    let token = match kept {
        Some((token, _)) => token,
        None => {
            // The blocking client has a runtime of its own, which may not live on a thread of another one.
            let asked = thread::scope(|scope| scope.spawn(|| seller.buy(repository, settings)).join());
            let (token, lasts) =
                asked.map_err(|_| Cause::Other("ask for a token: stopped on a bug".to_owned()))??;
            let mut kept = settings.tokens.kept();
            if kept.len() >= MOST_TOKENS {
                kept.clear();
            }
            kept.insert(key, (token.clone(), Instant::now() + lasts.saturating_sub(MARGIN)));
            token
        }
    };
    Ok(Cow::Owned(seller.opened(repository, token)))
}

/// What tells texts from others.
pub(crate) fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// A JSON web token, signed with an RSA key.
pub(crate) fn signed(private_key: &str, header: &str, claims: &str) -> Result<Secret<String>, String> {
    let unreadable = || "its private key cannot be read".to_owned();
    let key = PrivateKeyDer::from_pem_slice(private_key.as_bytes()).map_err(|_| unreadable())?;
    let key = rustls::crypto::ring::sign::any_supported_type(&key).map_err(|_| unreadable())?;
    let signer = key
        .choose_scheme(&[rustls::SignatureScheme::RSA_PKCS1_SHA256])
        .ok_or_else(|| "its private key is none of RSA".to_owned())?;
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = signer.sign(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
}
