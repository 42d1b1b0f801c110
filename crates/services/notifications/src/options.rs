//! What a controller is set up with.

use boot::flags::Flags;

/// Names and limits.
#[derive(Clone, Debug)]
pub struct Options {
    /// Applications looked at at once.
    pub processors: usize,
    /// Which applications, by label.
    pub label_selector: String,
    /// The ConfigMap's name.
    pub config_map: String,
    /// The Secret's name.
    pub secret: String,
    /// Whether users' own configurations in the namespaces of their applications count.
    pub self_service: bool,
}

impl Options {
    /// As the flags say.
    pub fn from_flags(flags: &Flags) -> Self {
        Self {
            processors: usize::try_from(flags.int("processors-count")).unwrap_or(1).clamp(1, 64),
            label_selector: flags.text("app-label-selector"),
            config_map: flags.text("config-map-name"),
            secret: flags.text("secret-name"),
            self_service: flags.bool("self-service-notification-enabled"),
        }
    }
}
