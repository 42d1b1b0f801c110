//! Messages with holes.

use crate::reading::{look, told};
use object::Object;
use serde_json::Value;

/// The message with its holes filled; what is not there leaves nothing.
pub(super) fn fill(template: &str, live: &Object, condition: Option<&Value>) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((hole, after)) = after.split_once('}') else { break };
        let filled = hole.split('|').find_map(|choice| value(choice, live, condition));
        text.push_str(&filled.unwrap_or_default());
        rest = after;
    }
    text.push_str(rest);
    text
}

fn value(choice: &str, live: &Object, condition: Option<&Value>) -> Option<String> {
    match choice {
        "message" | "reason" | "type" | "status" => {
            condition?.get(choice).filter(|value| !value.is_null()).map(told)
        }
        "kind" => Some(live.kind().to_owned()),
        path if path.starts_with('.') => match path.strip_suffix('?') {
            Some(path) => look(live, &path[1..]).map(told).filter(|text| !text.is_empty()),
            None => look(live, &path[1..]).map(told),
        },
        words => Some(words.to_owned()),
    }
}
