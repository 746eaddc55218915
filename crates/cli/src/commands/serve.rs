//! `serve`: the server, until it is told to stop.

use crate::args::{DEFAULT_LISTEN, Global};
use crate::exit::Exit;
use crate::output::{Output, Tone};
use anyhow::{Context, bail};
use runplane_core::time::Span;
use runplane_server::options::{IpNet, STATE_MEMORY, network};
use runplane_server::{Options, Ready};
use serde_json::json;
use std::net::SocketAddr;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    pub listening: Listening,
    /// How long decisions are listed on PostgreSQL, such as `400d`, at least a week [default: for ever]. The ledger keeps
    /// all of them. The same on every node.
    #[arg(long, value_name = "LENGTH", env = "RUNPLANE_KEEP_LISTS", hide_env_values = true)]
    keep_lists: Option<String>,
    /// What to log to standard error: a level, or directives as of tracing's `EnvFilter`.
    #[arg(long, value_name = "FILTER", env = "RUNPLANE_LOG", hide_env_values = true, default_value = "info")]
    log: String,
}

#[derive(clap::Args, Debug)]
pub struct Listening {
    /// Address and port; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_LISTEN)]
    pub listen: SocketAddr,
    /// A further name under which the server may be called without a credential (against DNS rebinding,
    /// others are refused); may be given several times.
    #[arg(long = "allow-host", value_name = "NAME")]
    pub allowed_hosts: Vec<String>,
    /// A proxy, as an address or a network such as `10.0.0.0/8`, whose `X-Forwarded-For` says where a sign-in comes from;
    /// may be given several times. Without it everybody behind a proxy shares the slowing of guesses.
    #[arg(long = "trust-proxy", value_name = "NETWORK", value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// Memory in MiB, roughly, that the keys of meters and limits may take up; beyond it, those that nobody asks for
    /// wait on disk.
    #[arg(long, value_name = "MIB", env = "RUNPLANE_STATE_MEMORY", hide_env_values = true, default_value_t = STATE_MEMORY / MIB)]
    pub state_memory: usize,
}

const MIB: usize = 1024 * 1024;

impl Listening {
    pub fn options(&self, global: &Global) -> anyhow::Result<Options> {
        let mut options = Options::new(global.place()?, self.listen);
        options.allowed_hosts.clone_from(&self.allowed_hosts);
        options.trusted_proxies.clone_from(&self.trusted_proxies);
        options.state_memory = self.state_memory.max(1).saturating_mul(MIB);
        Ok(options)
    }
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    log(&args.log, global.json)?;
    let mut options = args.listening.options(global)?;
    options.keep_lists = args.keep_lists.as_deref().map(keep_lists).transpose()?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let stop = stop_signal()?;
        let ready = |listens: Ready| {
            let url = format!("http://{}", listens.address);
            let setup = listens.setup.map(|link| format!("{url}{}", link.path()));
            out.answer(&json!({ "url": url, "dataDir": global.data, "setupUrl": setup }), |out| {
                out.toned(Tone::Good, "LISTENING", &url);
                if let Some(setup) = &setup {
                    out.field("first owner", 11, setup);
                    out.remark("there is no account yet: this link makes the first one, once, within an hour");
                }
            });
        };
        runplane_server::serve(options, ready, stop).await.context("the server ended")
    })?;
    Ok(Exit::Ok)
}

fn keep_lists(text: &str) -> anyhow::Result<Span> {
    let length: Span = text.parse().with_context(|| format!("`{text}` is no length of time"))?;
    if length < Span::seconds(7 * 24 * 3_600) {
        bail!("--keep-lists is at least `7d`");
    }
    Ok(length)
}

pub fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime could not be started")
}

/// Logs go to standard error: for people on a terminal, as JSON lines with `--json`.
pub fn log(filter: &str, json: bool) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("`{filter}` is not a log filter"))?;
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if json {
        logger.json().try_init()
    } else {
        let colour = std::io::IsTerminal::is_terminal(&std::io::stderr());
        logger.with_ansi(colour).try_init()
    };
    started.map_err(|error| anyhow::anyhow!("logging could not be started: {error}"))
}

/// Completes when the process is asked to stop, by a terminal or by a service manager.
pub fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be received")?;
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be received")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
