//! How large a message between components may be.

use std::collections::BTreeMap;

/// Says it in MiB.
const VARIABLE: &str = "ARGOCD_GRPC_MAX_SIZE_MB";
const MEBIBYTE: usize = 1024 * 1024;

/// The largest message in bytes: what the environment says, or else the default. What is no number above zero is as if it
/// were not said, and the log has it.
#[must_use]
pub fn message_limit(environment: &BTreeMap<String, String>, default: usize) -> usize {
    let Some(text) = environment.get(VARIABLE).filter(|text| !text.is_empty()) else { return default };
    let said = text.parse::<i32>().ok().and_then(|number| usize::try_from(number).ok());
    let limit = said.filter(|number| *number > 0).and_then(|number| number.checked_mul(MEBIBYTE));
    limit.unwrap_or_else(|| {
        tracing::warn!(value = %text, "{VARIABLE} is not a number of MiB: {} count", default / MEBIBYTE);
        default
    })
}

#[cfg(test)]
mod tests {
    use super::message_limit;
    use std::collections::BTreeMap;

    #[test]
    fn a_limit_is_what_the_environment_says_in_mebibytes() {
        let of = |text: &str| {
            let environment = BTreeMap::from([("ARGOCD_GRPC_MAX_SIZE_MB".to_owned(), text.to_owned())]);
            message_limit(&environment, 7)
        };
        assert_eq!(message_limit(&BTreeMap::new(), 7), 7);
        assert_eq!([of("1"), of("300")], [1 << 20, 300 << 20]);
        for wrong in ["", "0", "-1", "many", "1.5", "2147483648"] {
            assert_eq!(of(wrong), 7, "{wrong}");
        }
    }
}
