//! `policy check`: would these files be put in force?

use super::{read, render};
use crate::exit::Exit;
use crate::output::{Output, Tone};
use runplane_core::catalogue::Catalogue;
use runplane_core::policy::{Bundle, BundleInputs};
use runplane_core::risk::Weights;
use runplane_core::settings::Settings;
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Policy files; checked together, as they would be in one workspace.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub fn run(args: &Args, out: &Output) -> anyhow::Result<Exit> {
    let policies = args.files.iter().map(|path| read(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let inputs = BundleInputs {
        catalogue: Catalogue::builtin(),
        settings: Settings::default(),
        weights: Weights::default(),
        policies,
    };
    let (rules, errors, warnings) = match Bundle::publish(&inputs) {
        Ok((bundle, warnings)) => (Some(bundle.rules().len()), Vec::new(), warnings),
        Err(errors) => (None, errors, Vec::new()),
    };
    let answer = json!({ "valid": errors.is_empty(), "errors": errors, "warnings": warnings });
    out.answer(&answer, |out| {
        let text = |file: &str| inputs.policies.iter().find(|(name, _)| name == file).map(|(_, text)| text.as_str());
        for finding in &errors {
            render::finding(Tone::Bad, "error", finding, text(&finding.file), out);
        }
        for finding in &warnings {
            render::finding(Tone::Waiting, "warning", finding, text(&finding.file), out);
        }
        let files = inputs.policies.len();
        match rules {
            Some(rules) => out.toned(Tone::Good, "OK", format_args!("{rules} rules in {files} files")),
            None => out.toned(Tone::Bad, "REFUSED", format_args!("{} errors in {files} files", errors.len())),
        }
    });
    Ok(if errors.is_empty() { Exit::Ok } else { Exit::Findings })
}
