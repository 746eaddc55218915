//! COMMAND: the one binary. Arguments in, wiring, exit codes out.
//!
//! Refuses to decide anything: what a command knows it got from the server, the store or the pure crates.
//! Must stay true: exit code 0 is said only when the thing asked for is done, and a usage error is never
//! mistaken for a decision (2 and 4 mean blocked and held).

mod args;
mod commands;
mod config;
mod exit;
mod installed;
mod output;
mod remote;
mod times;
mod visible;

use args::{Cli, Command};
use clap::Parser;
use exit::Exit;
use output::Output;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => return args::refuse(&refusal).into(),
    };
    let out = Output::new(cli.global.json);
    let ended = run(&cli, &out).unwrap_or_else(|error| {
        out.failure(&error);
        Exit::Failure
    });
    out.finish(ended).into()
}

fn run(cli: &Cli, out: &Output) -> anyhow::Result<Exit> {
    let global = &cli.global;
    match &cli.command {
        Command::Init(args) => commands::init::run(args, global, out),
        Command::Serve(args) => commands::serve::run(args, global, out),
        Command::Dev(args) => commands::dev::run(args, global, out),
        Command::Guard(args) => commands::guard::run(args, global, out),
        Command::Approvals(args) => commands::approvals::run(args, global, out),
        Command::Policy(args) => commands::policy::run(args, global, out),
        Command::Observe(args) => commands::observe::run(args, global, out),
        Command::Risk(args) => commands::risk::run(args, global, out),
        Command::Agents(args) => commands::agents::run(args, global, out),
        Command::Users(args) => commands::users::run(args, global, out),
        Command::Keys(args) => commands::keys::run(args, global, out),
        Command::Audit(args) => commands::audit::run(args, global, out),
        Command::Receipt(args) => commands::receipt::run(args, global, out),
        Command::Contain(args) => commands::contain::run(args, global, out),
        Command::Migrate(_) => commands::migrate::run(global, out),
        Command::Copy(args) => commands::copy::run(args, global, out),
        Command::Doctor(args) => commands::doctor::run(args, global, out),
    }
}
