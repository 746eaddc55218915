//! An object against the ordered map it stands for.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::Index;

/// For tests of readings.
impl Index<&str> for Object {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        self.get(name).expect(name)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Insert(String, i64),
    Remove(String),
    Keep(String, i64),
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]{0,2}", "[a-z]{22,25}", "[\u{7f}-\u{fffff}]{1,2}"]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (name(), any::<i64>()).prop_map(|(name, number)| Step::Insert(name, number)),
        1 => name().prop_map(Step::Remove),
        1 => (name(), any::<i64>()).prop_map(|(name, number)| Step::Keep(name, number)),
    ]
}

fn members(object: &Object) -> Vec<(String, Value)> {
    object.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
}

proptest! {
    #[test]
    fn is_an_ordered_map(steps in prop::collection::vec(step(), 0..40)) {
        let (mut object, mut map) = (Object::new(), BTreeMap::new());
        for step in steps {
            match step {
                Step::Insert(name, number) => {
                    let value = Value::from(number);
                    prop_assert_eq!(object.insert(name.as_str(), value.clone()), map.insert(name, value));
                }
                Step::Remove(name) => prop_assert_eq!(object.remove(&name), map.remove(&name)),
                Step::Keep(name, number) => {
                    let kept = map.entry(name.clone()).or_insert(Value::from(number));
                    prop_assert_eq!(object.get_or_insert_with(&name, || Value::from(number)), Some(kept));
                }
            }
            prop_assert_eq!(object.len(), map.len());
            for name in map.keys() {
                prop_assert_eq!(object.get(name), map.get(name));
            }
            prop_assert_eq!(object.get("no such"), None);
        }
        prop_assert_eq!(members(&object), map.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn is_gathered_as_a_map_is(given in prop::collection::vec((name(), any::<i64>()), 0..40)) {
        let given: Vec<(String, Value)> = given.into_iter().map(|(name, number)| (name, number.into())).collect();
        let map: BTreeMap<String, Value> = given.iter().cloned().collect();
        let object: Object = given.into_iter().collect();
        prop_assert_eq!(members(&object), map.into_iter().collect::<Vec<_>>());
    }
}
