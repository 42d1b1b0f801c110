//! The list of applications, which may hold tens of thousands: written item by item, and reduced by a fixed set of
//! fields instead of by a general rule.

use super::encode::{Encoder, Frame, Span};
use super::mask::Fields;
use super::plan::{Element, Plan, PlanId, Shape, plans};
use super::protobuf::MalformedMessage;

pub(super) const MESSAGE: &str =
    "github.com.argoproj.argo_cd.v3.pkg.apis.application.v1alpha1.ApplicationList";

/// A field that clients can choose.
struct Choice {
    key: &'static str,
    /// As `fields` names it, with the parts above.
    path: &'static str,
    take: Take,
}

/// Where the value comes from.
enum Take {
    /// The field of this key; null when a pointer, map or list is nil.
    Field,
    /// The field of this key, and nothing when it is absent or empty.
    Present,
    /// An object with the first key, which holds the field of the second: a quirk of the original that clients know.
    Within(&'static str, &'static str),
    /// The whole message when it is chosen itself, else those of its parts that are.
    WholeOr(&'static [Choice]),
    /// Only parts of the message can be chosen.
    Parts(&'static [Choice]),
    /// The same, and nothing when the message is absent.
    PartsIfPresent(&'static [Choice]),
}

const fn choice(key: &'static str, path: &'static str, take: Take) -> Choice {
    Choice { key, path, take }
}

/// What can be chosen of an application, sorted as the original's maps are.
static CHOICES: &[Choice] = &[
    choice(
        "metadata",
        "items.metadata",
        Take::Parts(&[
            choice("annotations", "items.metadata.annotations", Take::Field),
            choice("creationTimestamp", "items.metadata.creationTimestamp", Take::Field),
            choice("deletionTimestamp", "items.metadata.deletionTimestamp", Take::Field),
            choice("labels", "items.metadata.labels", Take::Field),
            choice("name", "items.metadata.name", Take::Field),
            choice("namespace", "items.metadata.namespace", Take::Field),
        ]),
    ),
    choice(
        "operation",
        "items.operation",
        Take::PartsIfPresent(&[choice("sync", "items.operation.sync", Take::Field)]),
    ),
    choice(
        "spec",
        "items.spec",
        Take::WholeOr(&[
            choice("destination", "items.spec.destination", Take::Field),
            choice("project", "items.spec.project", Take::Field),
            choice("source", "items.spec.source", Take::Present),
            choice("sourceHydrator", "items.spec.sourceHydrator", Take::Present),
            choice("sources", "items.spec.sources", Take::Present),
            choice("syncPolicy", "items.spec.syncPolicy", Take::Present),
        ]),
    ),
    choice(
        "status",
        "items.status",
        Take::Parts(&[
            choice("health", "items.status.health", Take::Field),
            choice(
                "operationState",
                "items.status.operationState",
                Take::PartsIfPresent(&[
                    choice("finishedAt", "items.status.operationState.finishedAt", Take::Field),
                    choice(
                        "operation",
                        "items.status.operationState.operation.sync",
                        Take::Within("sync", "syncResult"),
                    ),
                    choice("phase", "items.status.operationState.phase", Take::Field),
                    choice("startedAt", "items.status.operationState.startedAt", Take::Field),
                ]),
            ),
            choice("resources", "items.status.resources", Take::Present),
            choice("sourceHydrator", "items.status.sourceHydrator", Take::Field),
            choice("summary", "items.status.summary", Take::Field),
            choice(
                "sync",
                "items.status.sync",
                Take::Parts(&[
                    choice("revision", "items.status.sync.revision", Take::Field),
                    choice("status", "items.status.sync.status", Take::Field),
                ]),
            ),
        ]),
    ),
];

pub(super) fn write(
    bytes: &[u8],
    fields: Option<&Fields>,
    out: &mut Vec<u8>,
) -> Result<(), MalformedMessage> {
    let Some(id) = plans().find(MESSAGE) else { return Ok(()) };
    let plan = plans().get(id);
    let (Some(metadata), Some(items)) = (plan.slot_of_key("metadata"), plan.slot_of_key("items")) else {
        return Ok(());
    };
    let mut encoder = Encoder::new(bytes, out);
    let span = encoder.root_span();
    let frame = encoder.parse(id, span)?;
    encoder.out.extend_from_slice(b"{\"metadata\":");
    encoder.field_value(&plan.fields[metadata], frame, metadata)?;
    if !encoder.is_present(frame, items) {
        encoder.out.extend_from_slice(b"\n,\"items\":null}");
        return Ok(());
    }
    let Element::Message(application) = plan.fields[items].element else { return Ok(()) };
    encoder.out.extend_from_slice(b"\n,\"items\":[");
    for (index, item) in encoder.messages(frame, items).into_iter().enumerate() {
        if index > 0 {
            encoder.out.push(b',');
        }
        match fields {
            None => encoder.message(application, item)?,
            Some(fields) => {
                encoder.out.push(b'{');
                Selection { fields }.parts(&mut encoder, application, item, CHOICES)?;
                encoder.out.push(b'}');
            }
        }
        encoder.out.push(b'\n');
    }
    encoder.out.extend_from_slice(b"]}");
    Ok(())
}

struct Selection<'f> {
    fields: &'f Fields,
}

impl Selection<'_> {
    /// Whether anything at or below this choice was chosen.
    fn wants(&self, choice: &Choice) -> bool {
        let itself = self.fields.names(choice.path) != self.fields.drops();
        match choice.take {
            Take::Field | Take::Present | Take::Within(..) => itself,
            Take::WholeOr(parts) => itself || parts.iter().any(|part| self.wants(part)),
            Take::Parts(parts) | Take::PartsIfPresent(parts) => parts.iter().any(|part| self.wants(part)),
        }
    }

    fn parts(
        &self,
        encoder: &mut Encoder<'_, '_>,
        id: PlanId,
        span: Span,
        choices: &[Choice],
    ) -> Result<(), MalformedMessage> {
        let frame = encoder.parse(id, span)?;
        let plan = plans().get(id);
        let begin = encoder.out.len();
        for choice in choices.iter().filter(|choice| self.wants(choice)) {
            let before = encoder.out.len();
            if before > begin {
                encoder.out.push(b',');
            }
            if !self.part(encoder, plan, frame, choice)? {
                encoder.out.truncate(before);
            }
        }
        encoder.forget(frame);
        Ok(())
    }

    /// Writes one choice with its key; whether there was something to write.
    fn part(
        &self,
        encoder: &mut Encoder<'_, '_>,
        plan: &Plan,
        frame: Frame,
        choice: &Choice,
    ) -> Result<bool, MalformedMessage> {
        let key = if let Take::Within(_, from) = choice.take { from } else { choice.key };
        let Some(slot) = plan.slot_of_key(key) else { return Ok(false) };
        let field = &plan.fields[slot];
        let absent = !encoder.is_present(frame, slot);
        match choice.take {
            Take::Present if absent => return Ok(false),
            Take::PartsIfPresent(_) if absent => return Ok(false),
            _ => {}
        }
        super::put_string(encoder.out, choice.key);
        encoder.out.push(b':');
        let parts = match choice.take {
            Take::Field | Take::Present | Take::Within(..) => None,
            Take::WholeOr(_) if self.fields.names(choice.path) != self.fields.drops() => None,
            Take::WholeOr(parts) | Take::Parts(parts) | Take::PartsIfPresent(parts) => Some(parts),
        };
        match (parts, field.element, field.shape) {
            (Some(parts), Element::Message(inner), Shape::Single) => {
                encoder.out.push(b'{');
                let begin = encoder.out.len();
                encoder.with_message(frame, slot, |encoder, span| self.parts(encoder, inner, span, parts))?;
                let empty = encoder.out.len() == begin;
                encoder.out.push(b'}');
                Ok(!empty)
            }
            _ => {
                if let Take::Within(key, _) = choice.take {
                    encoder.out.push(b'{');
                    super::put_string(encoder.out, key);
                    encoder.out.push(b':');
                    encoder.field_value(field, frame, slot)?;
                    encoder.out.push(b'}');
                } else {
                    encoder.field_value(field, frame, slot)?;
                }
                Ok(true)
            }
        }
    }
}
