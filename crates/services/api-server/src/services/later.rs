//! Services whose methods are not there yet: each answers UNIMPLEMENTED by its name.

use wire::applicationset::application_set_service_server::ApplicationSetService;
use wire::notification::notification_service_server::NotificationService;

/// None of them has a method yet.
pub(crate) struct Later;

impl ApplicationSetService for Later {}
impl NotificationService for Later {}
