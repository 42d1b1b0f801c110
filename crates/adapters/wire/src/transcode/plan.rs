//! What the transcoder knows of each message, compiled once from the descriptors and their `gojson` options.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost_reflect::{Cardinality, DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor};

use super::text;

/// How a message becomes JSON; the values of `gojson.Codec`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Struct,
    Time,
    MicroTime,
    IntOrString,
    RawJson,
    PluginParameter,
    ResourceOverride,
}

/// What the JSON holds when the field has no value; the values of `gojson.Empty`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Empty {
    Omit,
    Always,
    Inline,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    String,
    Bytes,
    Bool,
    Int32,
    Int64,
}

impl Scalar {
    /// Go's name of the type.
    pub(crate) fn go_type(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Bytes => "[]uint8",
            Self::Bool => "bool",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
        }
    }
}

/// Index of a message in `Plans`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlanId(usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    Scalar(Scalar),
    Message(PlanId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Single,
    List,
    /// All maps of the contract have string keys.
    Map,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) number: u32,
    /// The name in the `.proto` file.
    pub(crate) name: Box<str>,
    /// protobuf's own JSON name, which query parameters may use.
    pub(crate) camel_name: Box<str>,
    /// The key in the JSON.
    pub(crate) key: Box<str>,
    /// The key as JSON text with its colon.
    pub(crate) quoted_key: Box<[u8]>,
    pub(crate) shape: Shape,
    pub(crate) element: Element,
    pub(crate) empty: Empty,
    /// Go holds a pointer: absent differs from zero.
    pub(crate) pointer: bool,
    pub(crate) required: bool,
    pub(crate) oneof: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Oneof {
    /// Go's key of the group.
    pub(crate) key: Box<str>,
    pub(crate) quoted_key: Box<[u8]>,
}

/// Where the value of a JSON key goes: through these inline fields to this field.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) inline: Vec<usize>,
    pub(crate) field: usize,
}

#[derive(Debug, Clone)]
pub(crate) enum Key {
    Field(Target),
    Oneof(usize),
    JsonOnly,
}

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) codec: Codec,
    /// In the order of the JSON.
    pub(crate) fields: Vec<Field>,
    pub(crate) oneofs: Vec<Oneof>,
    /// Go's name of the type, and the same with its package.
    pub(crate) go_name: Box<str>,
    pub(crate) go_type: Box<str>,
    /// A required field is somewhere below this message.
    pub(crate) requires: bool,
    slots: HashMap<u32, usize>,
    keys: HashMap<Box<str>, Key>,
    folded_keys: HashMap<Box<str>, Key>,
}

impl Plan {
    /// The slot of the field with this number.
    pub(crate) fn slot(&self, number: u32) -> Option<usize> {
        self.slots.get(&number).copied()
    }

    /// What a JSON key means: exactly this key, or one that differs in case only.
    pub(crate) fn key(&self, key: &str) -> Option<&Key> {
        self.keys.get(key).or_else(|| self.folded_keys.get(key.to_lowercase().as_str()))
    }

    /// The slot of the field that is called so in JSON.
    pub(crate) fn slot_of_key(&self, key: &str) -> Option<usize> {
        self.fields.iter().position(|field| &*field.key == key)
    }
}

/// The plans of all messages.
pub(crate) struct Plans {
    plans: Vec<Plan>,
    ids: HashMap<String, PlanId>,
}

impl Plans {
    pub(crate) fn find(&self, message: &str) -> Option<PlanId> {
        self.ids.get(message).copied()
    }

    /// The full name of a message.
    pub(crate) fn name(&self, id: PlanId) -> Option<&str> {
        self.ids.iter().find(|(_, known)| **known == id).map(|(name, _)| name.as_str())
    }

    pub(crate) fn get(&self, id: PlanId) -> &Plan {
        &self.plans[id.0]
    }
}

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(crate::DESCRIPTOR_SET)
        .expect("the descriptor set was written by our own build script")
});

static PLANS: LazyLock<Plans> = LazyLock::new(|| compile(&POOL));

/// The descriptors of everything in `proto/`.
pub(crate) fn pool() -> &'static DescriptorPool {
    &POOL
}

pub(crate) fn plans() -> &'static Plans {
    &PLANS
}

/// The message value of an option of ours.
pub(crate) fn option_message(options: &DynamicMessage, extension: &str) -> Option<DynamicMessage> {
    let extension = pool().get_extension_by_name(extension)?;
    options
        .has_extension(&extension)
        .then(|| options.get_extension(&extension).as_message().cloned())
        .flatten()
}

pub(crate) fn text_of(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

pub(crate) fn enum_of(message: Option<&DynamicMessage>, field: &str) -> i32 {
    message.and_then(|message| message.get_field_by_name(field)?.as_enum_number()).unwrap_or_default()
}

fn quoted(key: &str) -> Box<[u8]> {
    let mut quoted = Vec::with_capacity(key.len() + 3);
    text::put_string(&mut quoted, key.as_bytes());
    quoted.push(b':');
    quoted.into()
}

fn compile(pool: &DescriptorPool) -> Plans {
    let messages: Vec<_> =
        pool.all_messages().filter(|message| !message.is_map_entry() && described(message)).collect();
    let ids: HashMap<String, PlanId> = messages
        .iter()
        .enumerate()
        .map(|(index, message)| (message.full_name().to_owned(), PlanId(index)))
        .collect();
    let mut plans: Vec<Plan> = messages.iter().map(|message| compile_message(message, &ids)).collect();
    for index in 0..plans.len() {
        let mut keys = Vec::new();
        collect_keys(&plans, index, &mut Vec::new(), &mut keys);
        for json_only in json_only(&messages[index]) {
            keys.push((json_only.into(), Key::JsonOnly));
        }
        let plan = &mut plans[index];
        for (slot, oneof) in plan.oneofs.iter().enumerate() {
            keys.push((oneof.key.clone(), Key::Oneof(slot)));
        }
        for (key, meaning) in keys {
            plan.folded_keys.entry(key.to_lowercase().into()).or_insert_with(|| meaning.clone());
            plan.keys.insert(key, meaning);
        }
    }
    mark_requiring(&mut plans);
    Plans { plans, ids }
}

/// Not the packages that only describe the others, nor what those bring along.
fn described(message: &MessageDescriptor) -> bool {
    match message.package_name() {
        "gojson" | "google.api" | "rights" => false,
        "google.protobuf" => message.name() == "Empty",
        _ => true,
    }
}

fn json_only(message: &MessageDescriptor) -> Vec<String> {
    let Some(options) = option_message(&message.options(), "gojson.message") else { return Vec::new() };
    let Some(keys) = options.get_field_by_name("json_only") else { return Vec::new() };
    keys.as_list().unwrap_or_default().iter().filter_map(|key| key.as_str().map(str::to_owned)).collect()
}

fn compile_message(message: &MessageDescriptor, ids: &HashMap<String, PlanId>) -> Plan {
    let file = option_message(&message.parent_file().options(), "gojson.file");
    let options = option_message(&message.options(), "gojson.message");
    let codec = match enum_of(options.as_ref(), "codec") {
        1 => Codec::Time,
        2 => Codec::MicroTime,
        3 => Codec::IntOrString,
        4 => Codec::RawJson,
        5 => Codec::PluginParameter,
        6 => Codec::ResourceOverride,
        _ => Codec::Struct,
    };
    let go_package = file.as_ref().map(|file| text_of(file, "go_package")).unwrap_or_default();
    let go_package = match (go_package.as_str(), message.package_name().rsplit('.').next()) {
        ("", Some(last)) => last,
        (given, _) => given,
    };
    let oneof_key = pool().get_extension_by_name("gojson.oneof");
    let oneofs = message
        .oneofs()
        .map(|oneof| {
            let key = oneof_key
                .as_ref()
                .and_then(|extension| oneof.options().get_extension(extension).as_str().map(str::to_owned));
            let key = key.unwrap_or_else(|| oneof.name().to_owned());
            Oneof { quoted_key: quoted(&key), key: key.into() }
        })
        .collect();
    // `fields()` goes by number; the JSON goes by declaration.
    let declared = message.descriptor_proto().field.iter();
    let fields: Vec<Field> = declared
        .filter_map(|field| message.get_field_by_name(field.name()))
        .map(|field| compile_field(&field, file.as_ref(), ids))
        .collect();
    Plan {
        codec,
        slots: fields.iter().enumerate().map(|(slot, field)| (field.number, slot)).collect(),
        requires: fields.iter().any(|field| field.required),
        fields,
        oneofs,
        go_type: format!("{go_package}.{}", message.name()).into(),
        go_name: message.name().into(),
        keys: HashMap::new(),
        folded_keys: HashMap::new(),
    }
}

fn compile_field(
    field: &FieldDescriptor,
    file: Option<&DynamicMessage>,
    ids: &HashMap<String, PlanId>,
) -> Field {
    let options = option_message(&field.options(), "gojson.field");
    let options = options.as_ref();
    let (shape, kind) = match field.kind() {
        prost_reflect::Kind::Message(entry) if field.is_map() => {
            (Shape::Map, entry.map_entry_value_field().kind())
        }
        kind if field.is_list() => (Shape::List, kind),
        kind => (Shape::Single, kind),
    };
    let element = element(&kind, ids);
    let file_kind = match element {
        Element::Message(_) => enum_of(file, "messages") != 1,
        Element::Scalar(_) => enum_of(file, "scalars") == 2,
    };
    let pointer = match enum_of(options, "kind") {
        1 => false,
        2 => true,
        _ => file_kind,
    };
    let key = options.map(|options| text_of(options, "name")).filter(|name| !name.is_empty());
    let key = key.unwrap_or_else(|| field.name().to_owned());
    Field {
        number: field.number(),
        name: field.name().into(),
        camel_name: field.json_name().into(),
        quoted_key: quoted(&key),
        key: key.into(),
        shape,
        element,
        empty: match enum_of(options, "empty") {
            1 => Empty::Always,
            2 => Empty::Inline,
            3 => Empty::Never,
            _ => Empty::Omit,
        },
        pointer: pointer || field.containing_oneof().is_some(),
        required: field.cardinality() == Cardinality::Required,
        oneof: field
            .containing_oneof()
            .and_then(|oneof| field.parent_message().oneofs().position(|candidate| candidate == oneof)),
    }
}

fn element(kind: &prost_reflect::Kind, ids: &HashMap<String, PlanId>) -> Element {
    use prost_reflect::Kind;
    match kind {
        Kind::String => Element::Scalar(Scalar::String),
        Kind::Bytes => Element::Scalar(Scalar::Bytes),
        Kind::Bool => Element::Scalar(Scalar::Bool),
        Kind::Int32 | Kind::Enum(_) => Element::Scalar(Scalar::Int32),
        Kind::Int64 => Element::Scalar(Scalar::Int64),
        Kind::Message(message) => Element::Message(ids[message.full_name()]),
        other => unreachable!("no message of the contract has a field of type {other:?}"),
    }
}

/// The JSON keys of a message, those of its inline fields included.
fn collect_keys(plans: &[Plan], index: usize, inline: &mut Vec<usize>, keys: &mut Vec<(Box<str>, Key)>) {
    for (slot, field) in plans[index].fields.iter().enumerate() {
        match (field.empty, field.element) {
            (Empty::Never, _) => {}
            (Empty::Inline, Element::Message(inner)) => {
                inline.push(slot);
                collect_keys(plans, inner.0, inline, keys);
                inline.pop();
            }
            // A member of a group stands inside the group's own object.
            _ if field.oneof.is_some() => {}
            _ => keys.push((field.key.clone(), Key::Field(Target { inline: inline.clone(), field: slot }))),
        }
    }
}

/// Carries `requires` from messages to those that contain them, until nothing changes.
fn mark_requiring(plans: &mut [Plan]) {
    loop {
        let requiring: Vec<usize> = (0..plans.len())
            .filter(|&index| {
                !plans[index].requires
                    && plans[index].fields.iter().any(|field| match field.element {
                        Element::Message(inner) => plans[inner.0].requires,
                        Element::Scalar(_) => false,
                    })
            })
            .collect();
        if requiring.is_empty() {
            return;
        }
        for index in requiring {
            plans[index].requires = true;
        }
    }
}
