//! What an object no application manages costs.

use cluster_cache::{Extracted, Index};
use object::Object;
use serde_json::json;

const OBJECTS: usize = 50_000;

fn config_map(number: usize) -> Object {
    Object::from_value(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": format!("settings-of-some-service-{number:05}"),
            "namespace": format!("team-{}", number % 200),
            "uid": format!("0a1b2c3d-0000-4000-8000-{number:012x}"),
            "resourceVersion": (1000 + number).to_string(),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"app.kubernetes.io/name": "service"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": format!("owner-{number}"),
                "uid": format!("ffffffff-0000-4000-8000-{number:012x}"), "controller": true}],
        },
        "data": {"config.yaml": "x".repeat(2048)},
    }))
    .expect("an object")
}

/// Bytes this process has in memory.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("a proc file system");
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("a number of pages") * 4096
}

#[test]
fn an_unmanaged_object_costs_at_most_two_kibibytes() {
    let mut index: Index<[u64; 4]> = Index::new(false);
    let before = resident();
    for number in 0..OBJECTS {
        let extracted = Extracted { application: None, projection: 1, implied: Vec::new(), info: [0; 4] };
        index.apply(&config_map(number), extracted);
    }
    assert_eq!(index.counts(), (OBJECTS, 0));
    let each = (resident() - before) / OBJECTS;
    println!("{each} bytes per unmanaged object of {OBJECTS}");
    assert!(each <= 2048, "{each} bytes per object");
}
