//! Logging in through an identity provider, as far as it is decided: what the provider says of itself, where a
//! browser is sent, what it brings back, whose token is believed. Nothing here asks anybody: documents, keys, time
//! and randomness are arguments.

mod claims;
mod discovery;
mod keys;
mod request;
mod return_url;
mod sealed;
mod state;
mod verify;

pub use claims::{FederatedClaims, unverified_expiry, unverified_issuer, unverified_scope};
pub use discovery::{Discovery, DiscoveryError};
pub use keys::KeySet;
pub use request::{AuthorizationRequest, Pkce, authorization_url, random_text};
pub use return_url::{ReturnUrlError, check_return_url};
pub use sealed::{Sealed, SealedError, dex_client_secret};
pub use state::{LoginState, STATE_SECONDS, StateError};
pub use verify::{Audiences, Expected, IdTokenError, RequestedValue, verify_id_token};
