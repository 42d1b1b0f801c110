//! Go's regular expressions.

use regex::Regex;

/// Largest compiled expression, in bytes.
const SIZE: usize = 1 << 20;

pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    go_regexp::compile(pattern, SIZE)
        .map_err(|reason| format!("error parsing regexp: {reason}: `{}`", crate::text::brief(pattern)))
}
