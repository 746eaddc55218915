//! Changing settings by merge patch (RFC 7396). Every change compiles the bundle again.

use super::{apply, publish};
use crate::control::Change;
use crate::error::{Error, Kind};
use crate::workspace::Workspace;
use runplane_core::digest::sha256;
use runplane_core::settings::Settings;
use runplane_core::text;
use runplane_core::time::{Micros, Span};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How long a workspace may only observe, unless somebody says so again.
const LONGEST_OBSERVED: Span = Span::seconds(90 * 24 * 3_600);

/// The settings after the patch. A member that is `null` goes back to its default.
pub async fn patch(
    workspace: &Arc<Workspace>,
    by: &str,
    patch: Map<String, Value>,
    now: Micros,
) -> Result<Arc<Settings>, Error> {
    let by = by.to_owned();
    let now = now.max(Micros(workspace.published.head.load().time_us));
    let patch = Value::Object(patch);
    let (settings, ..) = apply(workspace, move |control| {
        let settings = patched(&control.settings, &patch)?;
        let text = write(&settings)?.to_string();
        let detail = json!({ "settings": sha256(&[text.as_bytes()]).to_string() });
        let mut change = Change::of(control, &by, "settings_changed", detail);
        if settings.observe != control.settings.observe {
            check_observe(&settings, now)?;
            change.note("observe", settings.observe.map_or("off".to_owned(), |observe| observe.until.to_string()));
        }
        change.put_settings(settings)?;
        publish::recompile(&mut change)?;
        let after = Arc::clone(&change.next.settings);
        Ok((change, after))
    })
    .await?;
    Ok(settings)
}

/// Observing ends, and not in years: nobody must forget that nothing is stopped.
fn check_observe(settings: &Settings, now: Micros) -> Result<(), Error> {
    let Some(observe) = settings.observe else { return Ok(()) };
    if observe.until <= now {
        let problem = format!("`observe.until` is {}, which is past", observe.until);
        return Err(Error::new(Kind::InvalidSettings, problem));
    }
    if observe.until > now.after(LONGEST_OBSERVED) {
        return Err(Error::new(Kind::InvalidSettings, "`observe.until` is more than 90 days ahead"));
    }
    Ok(())
}

fn patched(settings: &Settings, patch: &Value) -> Result<Settings, Error> {
    let mut patch = patch.clone();
    if let Some(Value::Object(targets)) = patch.get_mut("targets") {
        *targets = by_normal_name(std::mem::take(targets))?;
    }
    let mut document = write(settings)?;
    merge(&mut document, patch);
    drop_nulls(&mut document);
    serde_json::from_value(document).map_err(|problem| Error::new(Kind::InvalidSettings, problem.to_string()))
}

/// Targets are kept under their normal names; a patch may use any spelling of one.
fn by_normal_name(targets: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    let mut normal = Map::new();
    for (name, registration) in targets {
        let place = format!("targets.{name}");
        let key = text::normal_target(&name).map_err(|problem| {
            Error::new(Kind::InvalidSettings, format!("`{place}` is not a target name: it {problem}"))
        })?;
        if normal.insert(key.clone(), registration).is_some() {
            let problem = format!("`{place}` is named twice: both names mean `{key}`");
            return Err(Error::new(Kind::InvalidSettings, problem));
        }
    }
    Ok(normal)
}

/// RFC 7396 §2.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(&name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// Members that are not set are written as `null`, which is not how they are read.
fn drop_nulls(document: &mut Value) {
    if let Value::Object(members) = document {
        members.retain(|_, value| !value.is_null());
        members.values_mut().for_each(drop_nulls);
    }
}

/// The wire form of settings.
pub fn write(settings: &Settings) -> Result<Value, Error> {
    serde_json::to_value(settings).map_err(|failure| Error::internal("settings could not be written").because(failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merge_follows_the_examples_of_the_rfc() {
        let cases = [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
            (r#"{}"#, r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ];
        for (target, patch, after) in cases {
            let mut document: Value = serde_json::from_str(target).unwrap();
            merge(&mut document, serde_json::from_str(patch).unwrap());
            assert_eq!(document.to_string(), after, "{target} + {patch}");
        }
    }

    #[test]
    fn any_spelling_of_a_target_names_it() {
        let register = json!({ "targets": { "Stripe": { "sensitivity": "high" } } });
        let settings = patched(&Settings::default(), &register).unwrap();
        assert!(settings.registration("stripe").is_some());
        let removed = patched(&settings, &json!({ "targets": { " STRIPE ": null } })).unwrap();
        assert_eq!(removed, Settings::default());
        let twice = json!({ "targets": { "stripe": {}, "Stripe": {} } });
        assert_eq!(patched(&settings, &twice).unwrap_err().kind, Kind::InvalidSettings);
    }

    #[test]
    fn what_is_no_setting_is_refused_and_named() {
        let wrong = patched(&Settings::default(), &json!({ "limit": {} })).unwrap_err();
        assert_eq!(wrong.kind, Kind::InvalidSettings);
        assert!(wrong.detail.contains("limit"), "{}", wrong.detail);
        let wide = patched(&Settings::default(), &json!({ "limits": { "maxDepth": 4000 } })).unwrap_err();
        assert!(wide.detail.contains("limits.maxDepth"), "{}", wide.detail);
        let reset = json!({ "limits": { "maxDepth": 16, "requestsPerSecondPerAgent": 5 } });
        let changed = patched(&Settings::default(), &reset).unwrap();
        let back = json!({ "limits": null });
        assert_eq!(patched(&changed, &back).unwrap(), Settings::default());
    }
}
