//! Policies in force on a server.

use super::{read, render};
use crate::args::Global;
use crate::exit::Exit;
use crate::output::{Output, Tone};
use crate::remote::{Refused, Remote, list as members, member, shown};
use anyhow::Context;
use runplane_core::policy::Finding;
use serde_json::Value;
use std::path::Path;

pub fn list(global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let page = Remote::admin(global)?.get(&["policies"], &[])?;
    out.answer(&page, |out| {
        let rows = members(&page, "policies").iter().map(|policy| {
            let rules = match policy.get("rules") {
                Some(Value::Array(rules)) => rules.len().to_string(),
                _ => shown(policy, "/rules"),
            };
            let [name, mode, updated, description] =
                ["/name", "/mode", "/updatedAt", "/description"].map(|pointer| shown(policy, pointer));
            vec![name, mode, rules, updated, description]
        });
        out.table(
            &["name", "mode", "rules", "updated", "description"],
            rows.collect(),
            "no policies: every call is decided by the default",
        );
        out.remark(format_args!("bundle {}, epoch {}", shown(&page, "/bundle"), shown(&page, "/epoch")));
    });
    Ok(Exit::Ok)
}

pub fn get(name: &str, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let policy = Remote::admin(global)?.get(&["policies", name], &[])?;
    let text: String = member(&policy, "yaml")?;
    out.answer(&policy, |out| out.text(&text));
    Ok(Exit::Ok)
}

pub fn put(
    file: &Path,
    name: Option<&str>,
    message: Option<&str>,
    global: &Global,
    out: &Output,
) -> anyhow::Result<Exit> {
    let (path, text) = read(file)?;
    let name = match name {
        Some(name) => name.to_owned(),
        None => named(&text).with_context(|| format!("`{path}` has no `policy: NAME`: give the name with --name"))?,
    };
    let answered = Remote::admin(global)?.put_yaml(&["policies", &name], &remark(message), text.clone());
    let answer = match answered {
        Ok(answer) => answer,
        Err(error) => return refused(error, &path, &text, out),
    };
    out.answer(&answer, |out| {
        print(&answer, "warnings", Tone::Waiting, &path, &text, out);
        let place = format_args!("{name}, bundle {}, epoch {}", shown(&answer, "/bundle"), shown(&answer, "/epoch"))
            .to_string();
        out.toned(Tone::Good, "IN FORCE", place);
    });
    Ok(Exit::Ok)
}

pub fn delete(name: &str, message: Option<&str>, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let answer = Remote::admin(global)?.delete_with(&["policies", name], &remark(message))?;
    out.answer(&answer, |out| out.toned(Tone::Good, "DELETED", name));
    Ok(Exit::Ok)
}

fn remark(message: Option<&str>) -> Vec<(&str, &str)> {
    message.map(|message| ("message", message)).into_iter().collect()
}

/// The name in a policy's text. Only this one line is looked at: what the text means is for the server to say.
fn named(text: &str) -> Option<String> {
    let name = text.lines().find_map(|line| line.strip_prefix("policy:"))?;
    let name = name.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    (!name.is_empty()).then(|| name.to_owned())
}

/// A policy that the server refuses is a finding, shown as `policy check` shows it.
pub(super) fn refused(error: anyhow::Error, path: &str, text: &str, out: &Output) -> anyhow::Result<Exit> {
    match error.downcast_ref::<Refused>() {
        Some(refusal) if refusal.code == "invalid_policy" => {
            out.answer(&refusal.problem, |out| {
                print(&refusal.problem, "errors", Tone::Bad, path, text, out);
                out.toned(Tone::Bad, "REFUSED", "nothing was changed");
            });
            Ok(Exit::Findings)
        }
        _ => Err(error),
    }
}

fn print(answer: &Value, name: &str, tone: Tone, path: &str, text: &str, out: &Output) {
    for value in members(answer, name) {
        let Ok(mut finding) = serde_json::from_value::<Finding>(value.clone()) else {
            out.toned(tone, name, value);
            continue;
        };
        // The server compiles all policies together: only what it says of this one is about our file.
        let ours = named(text).is_some_and(|policy| finding.file.trim_end_matches(".yaml") == policy);
        if ours {
            path.clone_into(&mut finding.file);
        }
        render::finding(tone, name.trim_end_matches('s'), &finding, ours.then_some(text), out);
    }
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn the_name_is_read_from_its_line() {
        assert_eq!(named("# a comment\npolicy: payments # ours\nrules: []").as_deref(), Some("payments"));
        assert_eq!(named("policy: \"a b\"").as_deref(), Some("a b"));
        assert_eq!(named("  policy: nested"), None);
        assert_eq!(named("policy:"), None);
    }
}
