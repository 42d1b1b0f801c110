//! Starting a component: its flags and environment are read once, here; then logs, metrics, health and a
//! graceful stop. Knows what a component is called and nothing of what it does.

pub mod duration;
pub mod flags;
pub mod limit;
pub mod logs;
pub mod metrics;
pub mod stop;
mod unused;

/// Chooses the one crypto provider; first thing in `main`, and harmless when done again.
pub fn crypto() {
    // A second call finds the provider already installed, which is the same one.
    let _installed = rustls::crypto::ring::default_provider().install_default();
}
