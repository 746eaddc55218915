//! `migrate`: brings the database to this program's version of its schema, which every start does, too.

use crate::args::Global;
use crate::exit::Exit;
use crate::output::{Output, Tone};
use anyhow::{Context, bail};
use serde_json::json;

#[derive(clap::Args, Debug)]
pub struct Args {}

pub fn run(global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let place = global.place()?;
    if place.database.is_none() && !place.is_initialised()? {
        bail!("`{}` holds no database: run `runplane init`", place.name());
    }
    place.open().with_context(|| format!("`{}` could not be brought up to date", place.name()))?;
    out.answer(&json!({ "database": place.name(), "upToDate": true }), |out| {
        out.toned(Tone::Good, "UP TO DATE", place.name());
    });
    Ok(Exit::Ok)
}
