//! `risk explain`: the score of one call, factor by factor.
//!
//! The server knows what is usual for the agent at this moment; with files there is no past, so no factor for it.
//! Nothing is recorded either way.

use super::policy::explain;
use crate::args::Global;
use crate::exit::Exit;
use crate::output::Output;
use crate::remote::{list as members, shown};
use serde_json::{Value, json};

#[derive(clap::Args, Debug)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    ask: Ask,
}

#[derive(clap::Subcommand, Debug)]
enum Ask {
    /// Say how the score of a call comes about; nothing is recorded.
    Explain(explain::Args),
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let Ask::Explain(args) = &args.ask;
    let answer = explain::answer(args, global)?;
    let part = |pointer: &str| answer.pointer(pointer).cloned().unwrap_or_default();
    let risk = json!({ "basis": part("/basis"), "call": part("/call"), "risk": part("/decision/risk") });
    out.answer(&risk, |out| print(&risk, out));
    Ok(Exit::Ok)
}

fn print(answer: &Value, out: &Output) {
    let call = |member: &str| shown(answer, &format!("/call/{member}"));
    out.line(format_args!("{} of 100, {}", shown(answer, "/risk/score"), shown(answer, "/risk/severity")));
    let risk = answer.get("risk").cloned().unwrap_or_default();
    for factor in members(&risk, "factors") {
        let (name, sentence) = (shown(factor, "/name"), shown(factor, "/sentence"));
        out.line(format_args!("  {name:12} {:>3}  {sentence}", shown(factor, "/points")));
    }
    out.field("call", 8, format_args!("{} on {} in {}", call("type"), call("target"), call("environment")));
    out.field("basis", 8, shown(answer, "/basis/says"));
}
