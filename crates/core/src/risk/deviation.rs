//! The factor that needs the past: how far a call is from what its agent usually does.
//!
//! Known only in the call's place in the log. Refuses to judge before there is enough to judge by, and only
//! ever adds: without a profile the score is what the call alone gives. INVARIANT: rarer, faster or larger
//! never gives fewer points.

use super::{Factor, ProfileWeights, Risk, Weights, factor, number_of};
use crate::call::Call;
use crate::catalogue::Catalogue;
use crate::inspect::{Reading, Readings};
use crate::profile::{NEEDED, Size, UNREAD, Usual, UsualType, pair};
use crate::value::Text;

/// How large a call is: the largest of its effective fields and of what was read in its payload. `None` if
/// nothing in it says; what should say and cannot be read is larger than anything.
#[must_use]
pub fn measure(call: &Call, readings: &Readings, catalogue: &Catalogue) -> Option<Size> {
    let kinds = call.action.types.iter().filter_map(|name| catalogue.get(name));
    let fields = kinds.flat_map(|kind| &kind.measures).chain(catalogue.common_measures());
    let in_fields = fields.filter_map(|field| {
        let value = call.context.get(&field.name);
        match (value, number_of(value)) {
            (_, Some(number)) => Some(Size::of(number)),
            (None, None) => field.required.then_some(UNREAD),
            (Some(_), None) if field.kind == crate::catalogue::FieldKind::Any => None,
            (Some(_), None) => Some(UNREAD),
        }
    });
    let read = [member(&readings.blast, "count"), member(&readings.money, "amount")];
    in_fields.chain(read.into_iter().flatten()).max()
}

fn member(reading: &Reading, name: &str) -> Option<Size> {
    match reading {
        Reading::NotApplicable => None,
        Reading::Unknown => Some(UNREAD),
        Reading::Object(members) => members.get(name).map(|value| value.as_number().map_or(UNREAD, Size::of)),
    }
}

/// The risk of a call with what is usual for its agent.
#[must_use]
pub fn with_profile(risk: &Risk, usual: &Usual, weights: &Weights) -> Risk {
    let mut factors = Vec::with_capacity(risk.factors.len() + 1);
    factors.extend(risk.factors.iter().cloned());
    factors.push(deviation(usual, &weights.profile));
    Risk::of(factors)
}

fn deviation(usual: &Usual, weights: &ProfileWeights) -> Factor {
    if usual.agent < NEEDED {
        let known = usual.agent;
        let sentence = format!("what is usual for the agent is not known yet ({known} of {NEEDED} outcomes)");
        return factor("profile", 0, sentence.into());
    }
    // Of several types the most unusual counts; of equal ones the first.
    let mut most: Option<(u32, &UsualType)> = None;
    for kind in &usual.types {
        let points = points(kind, usual.size, weights);
        if most.is_none_or(|(seen, _)| points > seen) {
            most = Some((points, kind));
        }
    }
    match most.filter(|(points, _)| *points > 0) {
        None => factor("profile", 0, Text::new_static("it is what the agent usually does")),
        Some((points, kind)) => factor("profile", points, sentence(kind, usual).into()),
    }
}

fn points(kind: &UsualType, size: Option<Size>, weights: &ProfileWeights) -> u32 {
    let most = u32::from(weights.most);
    // Rather like never done than like usual, until it is usual.
    let missing = u32::try_from(NEEDED.saturating_sub(kind.observations)).unwrap_or(0);
    let rare = most * missing / u32::try_from(NEEDED).unwrap_or(u32::MAX);
    let pace = doublings(kind).saturating_mul(u32::from(weights.per_doubling));
    let larger = match size {
        Some(size) if !size.is_read() && kind.usual_size.is_some() => most,
        size => steps_above(kind, size).saturating_mul(u32::from(weights.per_step)),
    };
    pace.saturating_add(larger).min(most).max(rare)
}

/// Doublings of the pace beyond twice what is usual.
fn doublings(kind: &UsualType) -> u32 {
    let Some(usual) = kind.usual_pace else { return 0 };
    u32::from(pair::power(kind.pace)).saturating_sub(u32::from(usual) + 1)
}

fn steps_above(kind: &UsualType, size: Option<Size>) -> u32 {
    size.zip(kind.usual_size).map_or(0, |(size, usual)| size.above(usual))
}

fn sentence(kind: &UsualType, usual: &Usual) -> String {
    let name = &kind.r#type;
    if kind.observations == 0 {
        return format!("the agent has never done `{name}` in {} actions", usual.agent);
    }
    if kind.observations < NEEDED {
        let (seen, all) = (kind.observations, usual.agent);
        return format!("`{name}` is rare for the agent: {seen} of {all} actions");
    }
    let mut parts = Vec::with_capacity(2);
    if let Some((size, usual)) = usual.size.zip(kind.usual_size).filter(|(size, usual)| size > usual) {
        let end = usual.end();
        parts.push(match size.is_read() {
            true => format!("its size is at least {size}, usually below {end}"),
            false => format!("its size cannot be read, usually it is below {end}"),
        });
    }
    if let Some(power) = kind.usual_pace.filter(|_| doublings(kind) > 0) {
        let end = 2u64.saturating_pow(u32::from(power) + 1);
        parts.push(format!("it is call {} within an hour, usually fewer than {end}", kind.pace));
    }
    format!("`{name}` is unusual: {}", parts.join("; "))
}
