//! Notifications: what there is to tell about an application, to whom, in which words, and what was told already. Reads
//! the configuration, evaluates triggers, renders templates. Sends nothing and asks nobody: time, randomness and the
//! repository's answers are arguments.

pub mod fields;
pub mod secrets;

mod schema;

mod notification;
mod special;
mod templates;

mod legacy;
mod subscriptions;
mod triggers;
mod variables;

mod config;

mod decide;
mod state;

pub mod storm;

pub use config::{Config, ConfigError, Origin, ServiceConfig};
pub use decide::{
    Decision, Due, Evaluated, Situation, Unrendered, decide, is_refreshed, is_wanted, notification, run,
    subscribed, texts,
};
pub use expr::Value as ExprValue;
pub use expr::time::Zone;
pub use notification::Notification;
pub use secrets::{Redactor, SecretData};
pub use state::{Destination, NOTIFIED, State};
pub use subscriptions::{Destinations, Subscription};
pub use triggers::{Condition, Outcome, Trigger};
pub use variables::{AppDetails, HelmDetails, Repository, Variables, commit, details};
