//! Conditions: what was evaluated is replaced, the rest stays, and what did not change keeps its time.

use api::codes::ConditionType;
use api::v1alpha1::ApplicationCondition;
use jiff::Timestamp;

/// The conditions after an evaluation of some types.
pub fn set_conditions(
    existing: &[ApplicationCondition],
    new: &[ApplicationCondition],
    evaluated: &[ConditionType],
    now: Timestamp,
) -> Vec<ApplicationCondition> {
    let was_evaluated =
        |condition: &ApplicationCondition| evaluated.iter().any(|kind| kind.as_str() == condition.r#type);
    let mut conditions: Vec<ApplicationCondition> =
        existing.iter().filter(|condition| !was_evaluated(condition)).cloned().collect();
    for condition in new {
        let before = existing
            .iter()
            .find(|before| before.r#type == condition.r#type && before.message == condition.message);
        let known = conditions
            .iter()
            .any(|known| known.r#type == condition.r#type && known.message == condition.message);
        if !known {
            conditions.push(before.unwrap_or(condition).clone());
        }
    }
    for condition in &mut conditions {
        condition.last_transition_time.get_or_insert_with(|| now.into());
    }
    sorted_conditions(conditions)
}

/// Conditions in their order: by type, then message.
pub fn sorted_conditions(mut conditions: Vec<ApplicationCondition>) -> Vec<ApplicationCondition> {
    conditions.sort_by(|left, right| (&left.r#type, &left.message).cmp(&(&right.r#type, &right.message)));
    conditions
}
