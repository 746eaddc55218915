//! `policy lint`: mistakes in policies that would publish, each with a call that shows it.

use super::{gather, render};
use crate::args::Global;
use crate::exit::Exit;
use crate::output::{Output, Tone};
use crate::remote::{Remote, list as members, shown};
use anyhow::{Context, bail};
use runplane_core::catalogue::Catalogue;
use runplane_core::policy::lint::{self, Options, Report};
use runplane_core::policy::{BundleInputs, Finding};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Policy files, and folders of them; looked at together, as they would be in one workspace.
    #[arg(value_name = "FILE", required_unless_present = "published")]
    files: Vec<PathBuf>,
    /// Settings to look at them with, as `GET /api/v1/settings` gives them.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// A group that approves, and how many people are in it; given once, every other group is unknown.
    #[arg(long = "group", value_name = "NAME=PEOPLE")]
    groups: Vec<String>,
    /// Look at the policies in force on the server instead.
    #[arg(long, conflicts_with_all = ["files", "settings", "groups"])]
    published: bool,
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    if args.published {
        return published(global, out);
    }
    let settings = args.settings.as_deref().map(super::settings).transpose()?;
    let options = Options { groups: groups(&args.groups)?, settings_known: settings.is_some() };
    let settings = settings.unwrap_or_default();
    let inputs = BundleInputs {
        catalogue: Catalogue::builtin(),
        weights: settings.risk.clone(),
        settings,
        policies: gather(&args.files)?,
    };
    let text = |file: &str| inputs.policies.iter().find(|(name, _)| name == file).map(|(_, text)| text.as_str());
    let report = match lint::lint(&inputs, &options) {
        Ok(report) => report,
        Err(errors) => {
            out.answer(&json!({ "valid": false, "errors": errors, "warnings": [], "findings": [] }), |out| {
                for error in &errors {
                    render::finding(Tone::Bad, "error", error, text(&error.file), out);
                }
                out.toned(Tone::Bad, "REFUSED", "policies that do not publish are not looked at");
            });
            return Ok(Exit::Findings);
        }
    };
    let Report { warnings, findings, rules, partial } = &report;
    let answer = json!({
        "valid": true, "errors": [], "warnings": warnings, "findings": findings, "rules": rules, "partial": partial,
    });
    let found: Vec<Value> = members(&answer, "findings").to_vec();
    out.answer(&answer, |out| {
        for value in &found {
            print(value, text(&shown(value, "/file")), out);
        }
        finish(found.len(), &format!("{rules} rules in {} files", inputs.policies.len()), out);
        if *partial {
            out.remark("there are too many rules to compare each with each; some pairs were left out");
        }
    });
    Ok(if found.is_empty() { Exit::Ok } else { Exit::Findings })
}

fn published(global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let remote = Remote::admin(global)?;
    let answer = remote.post(&["policies", "lint"], &json!({}))?;
    let found: Vec<Value> = members(&answer, "findings").to_vec();
    if !out.is_json() {
        for value in &found {
            let file = shown(value, "/file");
            let policy = remote.get(&["policies", file.trim_end_matches(".yaml")], &[]);
            let text = policy.map(|policy| shown(&policy, "/yaml")).ok();
            print(value, text.as_deref(), out);
        }
    }
    out.answer(&answer, |out| finish(found.len(), "the policies in force", out));
    Ok(if found.is_empty() { Exit::Ok } else { Exit::Findings })
}

/// One finding as the library or a server says it.
fn print(value: &Value, text: Option<&str>, out: &Output) {
    let Ok(finding) = serde_json::from_value::<Finding>(value.clone()) else {
        out.toned(Tone::Bad, "finding", value);
        return;
    };
    let example = value.get("example");
    let mut notes = Vec::new();
    if let Some(example) = example {
        notes.push(("example", example.get("call").map(ToString::to_string).unwrap_or_default()));
        if let Some(agent) = example.get("agent") {
            notes.push(("asked by", agent.to_string()));
        }
        notes.push(("shows", shown(example, "/shows")));
    }
    render::noted(Tone::Bad, &shown(value, "/kind").replace('_', " "), &finding, text, &notes, out);
}

fn finish(found: usize, where_: &str, out: &Output) {
    match found {
        0 => out.toned(Tone::Good, "OK", format_args!("nothing found in {where_}")),
        1 => out.toned(Tone::Bad, "FOUND", format_args!("1 mistake in {where_}")),
        many => out.toned(Tone::Bad, "FOUND", format_args!("{many} mistakes in {where_}")),
    }
}

fn groups(words: &[String]) -> anyhow::Result<Option<BTreeMap<String, u32>>> {
    let group = |word: &String| {
        let (name, people) = word.split_once('=').unwrap_or((word, "1"));
        let people = people.parse().with_context(|| format!("`{word}` is not a group and a number of people"))?;
        if name.is_empty() {
            bail!("`{word}` names no group");
        }
        Ok((name.to_owned(), people))
    };
    let groups: BTreeMap<String, u32> = words.iter().map(group).collect::<anyhow::Result<_>>()?;
    Ok((!groups.is_empty()).then_some(groups))
}
