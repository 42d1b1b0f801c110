//! An installation as manifests make it, against a real control plane and a real Redis: each component a process of
//! its own. One installation serves all tests; they take turns, and each has namespaces and applications of its own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backup;
mod bad_input;
mod cached;
mod canary;
mod charts;
mod deletion;
mod engine;
mod exceptions;
mod excluded;
mod forwarded;
mod guestbook;
mod hooks;
mod hostile;
mod installation;
mod kill;
mod kube;
mod meanwhile;
mod metrics;
mod notifications;
mod options;
mod plugins;
mod processes;
mod pull_requests;
mod quiet;
mod readback;
mod rendering;
mod rollouts;
mod rotation;
mod scopes;
mod self_service;
mod signatures;
mod syncing;
mod web;
mod windows;
