//! Every message, fully populated, survives JSON; broken input of any kind is an error and never a panic.

use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value,
};
use wire::transcode;

/// A small generator: the same seed gives the same messages.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn text(&mut self) -> String {
        const WORDS: &[&str] =
            &["a", "Zeile\n\"2\"", "<b>&amp;", "\u{2028}ü€😀", "\\u0041\t\u{1}", "true", "0", "- x: y"];
        let word = WORDS[self.roll(WORDS.len() as u64) as usize];
        format!("{word}{}", self.roll(1000))
    }
}

fn messages() -> impl Iterator<Item = MessageDescriptor> {
    let pool = DescriptorPool::decode(wire::DESCRIPTOR_SET).expect("descriptors");
    let of_ours = |message: &MessageDescriptor| {
        !message.is_map_entry()
            && !["gojson", "google.api", "google.protobuf", "rights"].contains(&message.package_name())
    };
    pool.all_messages().filter(of_ours).collect::<Vec<_>>().into_iter()
}

/// `full`: every field; otherwise about half of them.
fn populated(descriptor: &MessageDescriptor, dice: &mut Dice, full: bool, depth: u32) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    match descriptor.name() {
        "Time" | "MicroTime" => {
            message.set_field_by_name("seconds", Value::I64(1_700_000_000 + dice.roll(1_000_000) as i64));
            if descriptor.name() == "MicroTime" {
                message.set_field_by_name("nanos", Value::I32(1000 * (1 + dice.roll(999_999) as i32)));
            }
        }
        "RawExtension" | "FieldsV1" | "JSON" => {
            let field = descriptor.fields().next().expect("one field");
            let json = format!(r#"{{"z":[{},true,null,{{}}],"a":"x"}}"#, dice.roll(100));
            message.set_field(&field, Value::Bytes(json.into()));
        }
        "IntOrString" if dice.roll(2) == 0 => message.set_field_by_name("intVal", Value::I32(7)),
        "IntOrString" => {
            message.set_field_by_name("type", Value::I64(1));
            message.set_field_by_name("strVal", Value::String(dice.text()));
        }
        _ => {
            assert!(depth < 30, "{} contains itself", descriptor.full_name());
            for field in descriptor.fields() {
                if full || dice.roll(2) == 0 {
                    message.set_field(&field, value(&field, dice, full, depth));
                }
            }
        }
    }
    message
}

fn value(field: &FieldDescriptor, dice: &mut Dice, full: bool, depth: u32) -> Value {
    if let (true, Kind::Message(entry)) = (field.is_map(), field.kind()) {
        let of = entry.map_entry_value_field();
        return Value::Map(
            (0..3).map(|_| (MapKey::String(dice.text()), single(&of, dice, full, depth))).collect(),
        );
    }
    if field.is_list() {
        return Value::List(
            (0..if depth < 2 { 2 } else { 1 }).map(|_| single(field, dice, full, depth)).collect(),
        );
    }
    single(field, dice, full, depth)
}

fn single(field: &FieldDescriptor, dice: &mut Dice, full: bool, depth: u32) -> Value {
    match field.kind() {
        Kind::String => Value::String(dice.text()),
        Kind::Bytes => Value::Bytes(dice.text().into()),
        Kind::Bool => Value::Bool(true),
        Kind::Int32 => Value::I32(1 + dice.roll(1 << 20) as i32),
        Kind::Int64 => Value::I64(-1 - dice.roll(1 << 40) as i64),
        Kind::Enum(_) => Value::EnumNumber(1),
        Kind::Message(inner) => Value::Message(populated(&inner, dice, full, depth + 1)),
        other => panic!("no generator for {other:?}"),
    }
}

#[test]
fn a_full_message_survives_json() {
    let mut dice = Dice(7);
    let mut count = 0;
    for descriptor in messages() {
        for _ in 0..3 {
            let message = populated(&descriptor, &mut dice, true, 0);
            let mut json = Vec::new();
            transcode::to_json(descriptor.full_name(), &message.encode_to_vec(), &mut json).expect("JSON");
            serde_json::from_slice::<serde_json::Value>(&json).expect("valid JSON");
            let bytes = transcode::from_json(descriptor.full_name(), &json).expect("protobuf");
            let again = DynamicMessage::decode(descriptor.clone(), bytes.as_slice()).expect("a message");
            assert_eq!(message, again, "{} as {}", descriptor.full_name(), String::from_utf8_lossy(&json));
        }
        count += 1;
    }
    assert!(count > 250, "only {count} messages");
}

#[test]
fn json_of_a_partial_message_is_stable() {
    let mut dice = Dice(11);
    for descriptor in messages() {
        for _ in 0..5 {
            let message = populated(&descriptor, &mut dice, false, 0);
            let mut json = Vec::new();
            transcode::to_json(descriptor.full_name(), &message.encode_to_vec(), &mut json).expect("JSON");
            let bytes = transcode::from_json(descriptor.full_name(), &json).expect("protobuf");
            let mut again = Vec::new();
            transcode::to_json(descriptor.full_name(), &bytes, &mut again).expect("JSON");
            assert_eq!(
                String::from_utf8_lossy(&json),
                String::from_utf8_lossy(&again),
                "{}",
                descriptor.full_name()
            );
        }
    }
}

#[test]
fn broken_bytes_never_panic() {
    let mut dice = Dice(13);
    let fields = transcode::Fields::parse("-items.metadata,spec");
    for descriptor in messages() {
        let bytes = populated(&descriptor, &mut dice, true, 0).encode_to_vec();
        for _ in 0..10 {
            let mut broken = bytes.clone();
            broken.truncate(dice.roll(bytes.len() as u64 + 1) as usize);
            for _ in 0..dice.roll(4) {
                if !broken.is_empty() {
                    let at = dice.roll(broken.len() as u64) as usize;
                    broken[at] = dice.roll(256) as u8;
                }
            }
            let mut json = Vec::new();
            if transcode::to_json(descriptor.full_name(), &broken, &mut json).is_ok() {
                serde_json::from_slice::<serde_json::Value>(&json).expect("what is written is JSON");
            }
            let _ =
                transcode::to_json_at(descriptor.full_name(), &broken, fields.as_ref(), "", &mut Vec::new());
            let _ = transcode::application_list_to_json(&broken, fields.as_ref(), &mut Vec::new());
        }
    }
}

#[test]
fn broken_json_never_panics() {
    let mut dice = Dice(17);
    for descriptor in messages() {
        let mut json = Vec::new();
        let bytes = populated(&descriptor, &mut dice, true, 0).encode_to_vec();
        transcode::to_json(descriptor.full_name(), &bytes, &mut json).expect("JSON");
        for _ in 0..10 {
            let mut broken = json.clone();
            broken.truncate(dice.roll(json.len() as u64 + 1) as usize);
            for _ in 0..dice.roll(4) {
                if !broken.is_empty() {
                    let at = dice.roll(broken.len() as u64) as usize;
                    broken[at] = b"\"\\{}[]:,0nt-\x80 "[dice.roll(14) as usize];
                }
            }
            let _ = transcode::from_json(descriptor.full_name(), &broken);
        }
    }
    let deep = "[".repeat(100_000);
    assert_eq!(
        transcode::from_json("session.SessionCreateRequest", deep.as_bytes())
            .expect_err("too deep")
            .to_string(),
        "exceeded max depth"
    );
}
