//! The application controller's decisions, lived through: the core crates that the service drives, against a model
//! of Kubernetes and of Git, in one thread and under a seed. See the README for the rules that are checked.

pub mod api_server;
pub mod cache;
pub mod chance;
mod check;
mod comparing;
pub mod controller;
mod deleting;
mod effects;
pub mod facts;
pub mod fields;
pub mod git;
pub mod hub;
mod looking;
pub mod machines;
mod operating;
pub mod people;
pub mod permitting;
pub mod random;
pub mod run;
pub mod shrink;
pub mod side;
pub mod story;
pub mod thing;
pub mod world;
