//! Who somebody is: tokens as Argo CD signs them, local accounts, passwords, the login throttle, and tokens of identity
//! providers (`oidc`). What they may do is `rbac`'s to say. Takes time and randomness as arguments.

mod account;
pub mod oidc;
mod password;
mod throttle;
mod token;

pub use account::{Account, Accounts, Capability, IssuedToken};
pub use password::{Password, hash};
pub use throttle::{Throttle, ThrottleOptions};
pub use token::{Claims, ISSUER, Subject, TokenError, TokenKey};
