//! Maps that came to hold themselves are freed when nobody needs them any more, under whatever type they were changed.

use gotemplate::{Element, Functions, Limits, Map, MapType, MissingKey, Nowhere, Templates, Value};
use std::collections::BTreeMap;
use std::rc::Rc;

static VALUES: MapType =
    MapType { name: "Values", methods: &[("AsMap", 0)], call: |map, _, _| Ok(map.converted(None)) };

#[test]
fn a_map_that_holds_itself_is_freed() {
    for template in [
        r#"{{ $_ := set .Values "self" .Values }}"#,
        r#"{{ $_ := set .Values.AsMap "self" .Values }}"#,
        r#"{{ $_ := set .Values "self" .Values.AsMap }}"#,
        r#"{{ $_ := set .Values.AsMap "self" (dict "in" .Values.AsMap) }}"#,
    ] {
        let mut templates = Templates::new(Functions::helm());
        templates.parse("t", template).unwrap();
        let values = Map::of(Element::Any, Some(&VALUES), BTreeMap::new());
        let Value::Map(map) = &values else { panic!("values are a map") };
        let map = Rc::downgrade(map);
        let data = Map::any(BTreeMap::from([("Values".into(), values)]));
        templates.execute("t", &data, &mut Nowhere, MissingKey::Zero, Limits::default()).unwrap();
        drop(data);
        assert!(map.upgrade().is_none(), "{template}");
    }
}
