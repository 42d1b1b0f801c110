//! What the browser shows in the end. Nothing of a request is ever in a page.

/// After a login.
pub(super) const DONE: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Argo CD</title>\
</head><body><h1>Authentication successful</h1><p>You are logged in. You can close this page and return to the \
command line.</p></body></html>\n";

/// After a failure; the reason is in the terminal.
pub(super) const FAILED: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Argo CD</title>\
</head><body><h1>Authentication failed</h1><p>The command line says why.</p></body></html>\n";

/// For whatever else is asked for.
pub(super) const NOTHING: &str = "404 page not found\n";
