//! An identity provider over HTTP. Asks; what to make of the answers is `auth::oidc`'s to say.

mod error;
mod http;
mod provider;
mod tokens;
mod user;

pub use error::OidcError;
pub use provider::{Certificates, Provider, ProviderOptions, Wanted};
pub use tokens::{Client, Tokens};
pub use user::UserInfoAnswer;

#[cfg(test)]
mod tests;
