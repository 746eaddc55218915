//! Deciding a recorded call again, from what was recorded and nothing else.
//!
//! The payload gives the call, the record gives the readings and the state that was read, the bundle
//! comes from its stored bytes. Refuses to read payloads with today's inspectors: that is another
//! report. INVARIANT: the same inputs give the same decision, so any difference is tampering or a
//! fault of the program, and is named member by member.

use crate::call::{Call, PayloadError};
use crate::decide::{Decision, Facts, decide, prepare};
use crate::inspect::Readings;
use crate::json;
use crate::policy::Bundle;
use crate::value::{Text, Value};

/// What the record keeps of a decision's inputs.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// As `Call::to_payload` wrote it.
    pub payload: &'a [u8],
    /// As `Readings::to_value` gave it.
    pub readings: &'a Value,
    pub facts: &'a Facts,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecomputeError {
    #[error(transparent)]
    Payload(#[from] PayloadError),
    #[error("the recorded decision cannot be read")]
    Unreadable,
}

/// A member that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub member: String,
    pub recorded: Value,
    pub recomputed: Value,
}

/// The decision under the bundle of its time.
pub fn recompute(bundle: &Bundle, recorded: &Recorded<'_>) -> Result<Decision, RecomputeError> {
    let mut call = Call::from_payload(recorded.payload)?.as_recorded(bundle.catalogue())?;
    let readings = Readings::from_value(recorded.readings);
    for found in &readings.found {
        call.action.add(bundle.catalogue(), found);
    }
    let prepared = prepare(bundle, call, readings);
    Ok(decide(bundle, &prepared, recorded.facts))
}

/// Where the recorded decision (the JSON of a `Decision`) and the recomputed one differ; empty if equal.
pub fn differences(recorded: &[u8], recomputed: &Decision) -> Result<Vec<Difference>, RecomputeError> {
    let again = serde_json::to_vec(recomputed).map_err(|_| RecomputeError::Unreadable)?;
    let read = |bytes: &[u8]| match json::read(bytes, &json::Limits::default()) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(RecomputeError::Unreadable),
    };
    let (recorded, again) = (read(recorded)?, read(&again)?);
    let mut members: Vec<&Text> = recorded.keys().chain(again.keys()).collect();
    members.sort();
    members.dedup();
    let difference = |member: &Text| {
        let side = |members: &crate::value::Object| members.get(member).cloned().unwrap_or_default();
        let (recorded, recomputed) = (side(&recorded), side(&again));
        (recorded != recomputed).then(|| Difference { member: member.to_string(), recorded, recomputed })
    };
    Ok(members.into_iter().filter_map(difference).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::testing::{World, call, refund};
    use crate::inspect::Reading;
    use crate::meter::MeterValue;
    use crate::time::Micros;

    const RULES: &str = "policy: p
meters: { spent: { sum: context.amount, within: 1h, per: [agent] } }
rules:
  - { id: free, action: [process_refund, execute_query], decision: ALLOW }
  - { id: cap, when: 'meters.spent + context.amount > 10', decision: BLOCK }
";

    fn decided(world: &World, call: &Call, readings: &Readings, facts: &Facts) -> Vec<u8> {
        let prepared = prepare(&world.bundle, call.clone(), readings.clone());
        serde_json::to_vec(&decide(&world.bundle, &prepared, facts)).unwrap()
    }

    #[test]
    fn a_recorded_decision_is_recomputed_equal_and_a_changed_one_is_found_out() {
        let world = World::new(&[RULES]);
        let stored = Bundle::from_canonical(world.bundle.canonical()).unwrap();
        let call = refund("4");
        let facts = Facts { now: Micros(5), meters: vec![MeterValue::Ready(6i64.into())], ..Facts::default() };
        let readings = Readings { money: Reading::Unknown, ..Readings::default() };
        let record = decided(&world, &call, &readings, &facts);
        let payload = call.to_payload();
        let recorded = Recorded { payload: &payload, readings: &readings.to_value(), facts: &facts };
        let again = recompute(&stored, &recorded).unwrap();
        assert_eq!(differences(&record, &again), Ok(vec![]));
        let other = Facts { meters: vec![MeterValue::Ready(7i64.into())], ..facts.clone() };
        let again = recompute(&stored, &Recorded { facts: &other, ..recorded }).unwrap();
        let members: Vec<String> =
            differences(&record, &again).unwrap().into_iter().map(|difference| difference.member).collect();
        assert!(members.contains(&"outcome".to_owned()), "{members:?}");
    }

    #[test]
    fn what_inspectors_found_is_part_of_the_call_again() {
        let world = World::new(&[RULES]);
        let mut call = call("execute_query", "db", r#"{"amount": 1}"#);
        let payload = call.to_payload();
        let readings = Readings { found: vec!["delete_record".into()], ..Readings::default() };
        call.action.add(world.bundle.catalogue(), "delete_record");
        let facts = Facts::default();
        let record = decided(&world, &call, &readings, &facts);
        let recorded = Recorded { payload: &payload, readings: &readings.to_value(), facts: &facts };
        let again = recompute(&world.bundle, &recorded).unwrap();
        assert_eq!(again.uncovered.iter().map(|name| &**name).collect::<Vec<_>>(), ["delete_record"]);
        assert_eq!(differences(&record, &again), Ok(vec![]));
    }

    #[test]
    fn a_changed_payload_is_refused() {
        let world = World::new(&[RULES]);
        let payload = refund("4").to_payload();
        let text = String::from_utf8(payload).unwrap().replace("\"v\":1", "\"v\":2");
        let readings = Value::Object(Default::default());
        let recorded = Recorded { payload: text.as_bytes(), readings: &readings, facts: &Facts::default() };
        assert!(matches!(recompute(&world.bundle, &recorded), Err(RecomputeError::Payload(_))));
        assert_eq!(differences(b"[]", &world.decide(&refund("4"))), Err(RecomputeError::Unreadable));
    }
}
