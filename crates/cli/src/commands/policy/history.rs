//! Versions of a policy on a server: list, compare, go back.

use super::published;
use crate::args::Global;
use crate::exit::Exit;
use crate::output::{Output, Tone};
use crate::remote::{Remote, list as members, member, shown};
use anyhow::bail;
use serde_json::{Value, json};
use similar::TextDiff;

/// Lines of context around a difference.
const CONTEXT: usize = 3;

pub fn list(name: &str, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let page = Remote::admin(global)?.get(&["policies", name, "versions"], &[])?;
    out.answer(&page, |out| {
        let rows = members(&page, "versions").iter().map(|version| {
            let [number, at, by, change, message] =
                ["/version", "/at", "/by", "/change", "/message"].map(|pointer| shown(version, pointer));
            let change = match version.get("rolledBackTo") {
                Some(to) => format!("rolled back to {to}"),
                None => change,
            };
            vec![number, at, by, change, message]
        });
        out.table(&["version", "at", "by", "change", "message"], rows.collect(), "no versions");
    });
    Ok(Exit::Ok)
}

pub fn diff(name: &str, from: u64, to: Option<u64>, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let remote = Remote::admin(global)?;
    let to = match to {
        Some(to) => to,
        None => {
            let page = remote.get(&["policies", name, "versions"], &[])?;
            let Some(newest) = members(&page, "versions").first() else { bail!("`{name}` has no versions") };
            member(newest, "version")?
        }
    };
    let text = |version: u64| -> anyhow::Result<String> {
        let found = remote.get(&["policies", name, "versions", &version.to_string()], &[])?;
        Ok(found.get("yaml").and_then(Value::as_str).unwrap_or_default().to_owned())
    };
    let (old, new) = (text(from)?, text(to)?);
    let diff = TextDiff::from_lines(&old, &new);
    let shown = diff
        .unified_diff()
        .context_radius(CONTEXT)
        .header(&format!("{name} version {from}"), &format!("{name} version {to}"))
        .to_string();
    let answer = json!({ "name": name, "from": from, "to": to, "same": old == new, "diff": shown });
    out.answer(&answer, |out| if old == new { out.line("the texts are the same") } else { out.text(&shown) });
    Ok(Exit::Ok)
}

pub fn rollback(
    name: &str,
    version: u64,
    message: Option<&str>,
    global: &Global,
    out: &Output,
) -> anyhow::Result<Exit> {
    let remote = Remote::admin(global)?;
    let body = json!({ "version": version, "message": message });
    let answer = match remote.post(&["policies", name, "rollback"], &body) {
        Ok(answer) => answer,
        Err(error) => {
            let old = remote.get(&["policies", name, "versions", &version.to_string()], &[]);
            let text = old.map(|old| shown(&old, "/yaml")).unwrap_or_default();
            return published::refused(error, &format!("{name} version {version}"), &text, out);
        }
    };
    out.answer(&answer, |out| {
        let (number, epoch) = (shown(&answer, "/version"), shown(&answer, "/epoch"));
        out.toned(
            Tone::Good,
            "IN FORCE",
            format_args!("{name} as of version {version}, now version {number}, epoch {epoch}"),
        );
    });
    Ok(Exit::Ok)
}
