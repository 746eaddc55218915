//! `migrate`: brings the database to this program's version of its schema, which every start does, too.

use crate::args::Global;
use crate::exit::Exit;
use crate::output::{Output, Tone};
use anyhow::{Context, bail};
use runplane_store::postgres::standing;
use serde_json::json;

#[derive(clap::Args, Debug)]
pub struct Args {}

pub fn run(global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let place = global.place()?;
    if place.database.is_none() && !place.is_initialised()? {
        bail!("`{}` holds no database: run `runplane init`", place.name());
    }
    let failed = || format!("`{}` could not be brought up to date", place.name());
    let version = || match &place.database {
        Some(address) => standing::look(address).map(|standing| standing.version),
        None => Ok(None),
    };
    let before = version().with_context(failed)?;
    place.open().with_context(failed)?;
    let after = version().with_context(failed)?;
    out.answer(&json!({ "database": place.name(), "upToDate": true, "from": before, "to": after }), |out| {
        let how = match (before, after) {
            (Some(before), Some(after)) if before < after => format!(", from version {before} to {after}"),
            (_, Some(after)) => format!(", at version {after}"),
            _ => String::new(),
        };
        out.toned(Tone::Good, "UP TO DATE", format_args!("{}{how}", place.name()));
    });
    Ok(Exit::Ok)
}
