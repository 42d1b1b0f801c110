//! The type of `.Values`, whose methods templates may call. What they say is Helm's.

use gotemplate::{Map, MapType, Value};
use std::collections::BTreeMap;
use std::rc::Rc;

/// `chartutil.Values`
pub(crate) static VALUES: MapType = MapType {
    name: "chartutil.Values",
    // `Encode` takes a writer, which no template has.
    methods: &[("AsMap", 0), ("PathValue", 1), ("Table", 1), ("YAML", 0)],
    call,
};

fn call(map: &Rc<Map>, name: &str, arguments: &[Value]) -> Result<Value, String> {
    let path = match arguments {
        [Value::String(path)] => path.to_str(),
        _ => "".into(),
    };
    match name {
        "AsMap" if map.is_empty() => Ok(Map::any(BTreeMap::new())),
        "AsMap" => Ok(map.converted(None)),
        "Table" => table(map, &path).map(|map| map.converted(Some(&VALUES))),
        "PathValue" => path_value(map, &path),
        _ => gotemplate::to_yaml(&Value::Map(map.clone())).map(Value::text),
    }
}

/// The map at a path whose steps are separated by dots.
fn table(map: &Rc<Map>, path: &str) -> Result<Rc<Map>, String> {
    let mut found = map.clone();
    for step in path.split('.') {
        found = match found.get(step.as_bytes()) {
            Some(Value::Map(next)) => next,
            _ => return Err(format!("{step:?} is not a table")),
        };
    }
    Ok(found)
}

/// What is at a path, which must not be a map.
fn path_value(map: &Rc<Map>, path: &str) -> Result<Value, String> {
    if path.is_empty() {
        return Err("YAML path cannot be empty".into());
    }
    let (above, key) = path.rsplit_once('.').map_or((None, path), |(above, key)| (Some(above), key));
    let none = || format!("{key:?} is not a value");
    let place = match above {
        Some(above) => table(map, above).map_err(|_| none())?,
        None => map.clone(),
    };
    match place.get(key.as_bytes()) {
        Some(Value::Map(_)) | None => Err(none()),
        Some(value) => Ok(value),
    }
}
