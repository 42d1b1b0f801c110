//! The whole server against a real control plane; the repo-server is faked at its gRPC service, the controller by
//! what it writes.

mod actions;
mod advisories;
mod application_sets;
mod applications;
mod attacks;
mod bad_input;
mod bench;
mod broken_settings;
mod browser;
mod chromium;
mod conversations;
mod escalations;
mod local_files;
mod matrix;
mod mutations;
mod overage;
mod port;
mod projects;
mod registrations;
mod replicas;
mod resources;
mod rotation;
mod sessions;
mod sso;
mod static_files;
mod streams;
mod switches;
mod terminal;
mod webhooks;
