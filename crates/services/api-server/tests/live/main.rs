//! The whole server against a real control plane; the repo-server is faked at its gRPC service, the controller by
//! what it writes.

mod actions;
mod application_sets;
mod applications;
mod attacks;
mod bench;
mod browser;
mod port;
mod registrations;
mod resources;
mod sessions;
mod sso;
mod terminal;
