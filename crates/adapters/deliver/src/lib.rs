//! Notifications, delivered. Each service is a file that knows its settings, its requests and what an answer of it means.
//! Decides nothing: what is due, to whom and in which words comes from `notify`; what is told of a pull request, from
//! `preview`.

pub mod feedback;

mod failure;
mod gate;
mod http;
mod json;
mod progress;
mod reach;
mod world;

mod services;

pub use failure::Failure;
pub use progress::Progress;
pub use services::amazon::AMAZON_VARIABLES;
pub use services::{Delivery, Services};
pub use world::World;
