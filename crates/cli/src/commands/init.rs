//! `init`: a new data folder.

use crate::args::Global;
use crate::exit::Exit;
use crate::installed::Keys;
use crate::output::{Output, Tone};
use anyhow::Context;
use runplane_core::packs;
use runplane_server::Place;
use runplane_server::clock::SystemClock;
use runplane_server::install::{self, InitOptions};
use serde_json::json;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Name of the first agent.
    #[arg(long, value_name = "NAME", default_value = "agent")]
    agent_name: String,
    /// Where the first agent acts; decides how strictly its calls are taken.
    #[arg(long, value_name = "NAME", default_value = "production")]
    agent_environment: String,
    /// Succeed and change nothing where there is an installation already.
    #[arg(long)]
    if_missing: bool,
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let place = global.place()?;
    if args.if_missing && place.is_initialised()? {
        let there = json!({ "database": place.name(), "isInitialised": true });
        out.answer(&there, |out| out.remark(format!("`{}` is initialised already: nothing was changed", place.name())));
        return Ok(Exit::Ok);
    }
    let keys = install(&place, &args.agent_name, &args.agent_environment)?;
    out.answer(&keys, |out| {
        out.toned(Tone::Good, "READY", keys.data_dir.display());
        out.field("workspace", 11, &keys.workspace);
        out.field("agent", 11, &keys.agent_id);
        out.field("agent key", 11, &keys.agent_key);
        out.field("admin token", 11, &keys.admin_token);
        out.remark("the key and the token are shown this once and kept nowhere: put them where secrets belong");
        out.remark("next: `runplane serve`");
    });
    Ok(Exit::Ok)
}

/// Makes the data folder with the shipped policy packs in force.
pub fn install(place: &Place, agent_name: &str, agent_environment: &str) -> anyhow::Result<Keys> {
    let options = InitOptions {
        place: place.clone(),
        agent_name: agent_name.to_owned(),
        agent_environment: agent_environment.to_owned(),
        packs: packs::ALL.iter().map(|pack| (pack.name.to_owned(), pack.source.to_owned())).collect(),
    };
    let installed = install::init(&options, &SystemClock::shared())
        .with_context(|| format!("`{}` could not be initialised", place.name()))?;
    Ok(Keys {
        data_dir: place.data.clone(),
        workspace: installed.workspace,
        agent_id: installed.agent_id,
        agent_key: installed.agent_key,
        admin_token: installed.admin_token,
    })
}
