//! A new installation: data folder, signing keys, admin token, the default workspace with a first agent.

use crate::clock::SharedClock;
use crate::error::{Error, Kind};
use crate::id;
use crate::keyfile;
use crate::manage::genesis::{self, Start};
use crate::options::{LEDGER_KEY, PERMIT_KEY};
use crate::place::{Place, Seeds};
use crate::secret::{self, Fingerprint};
use runplane_store::Installation;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// The workspace every installation has.
pub const DEFAULT_WORKSPACE: &str = "default";

#[derive(Clone, Debug)]
pub struct InitOptions {
    pub place: Place,
    pub agent_name: String,
    pub agent_environment: String,
    /// Policy documents: name and YAML text.
    pub packs: Vec<(String, String)>,
}

/// What only the person who ran `init` gets to see.
#[derive(Clone)]
pub struct Installed {
    pub workspace: String,
    pub agent_id: String,
    pub agent_key: String,
    pub admin_token: String,
}

/// Makes the data folder. A half-made one, left by a failure, is not used: the database is written last.
pub fn init(options: &InitOptions, clock: &SharedClock) -> Result<Installed, Error> {
    let data = &options.place.data;
    if options.place.is_initialised()? {
        let name = options.place.name();
        return Err(Error::new(Kind::AlreadyExists, format!("`{name}` is already initialised")));
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .map_err(|failure| Error::internal(format!("`{}` could not be created", data.display())).because(failure))?;
    let seeds = Seeds { ledger: key_in(data, LEDGER_KEY)?, permit: key_in(data, PERMIT_KEY)? };
    let store = options.place.open()?;
    seeds.agree(&*store)?;
    let now = clock.now();
    let admin_token = secret::generate(secret::ADMIN_TOKEN_PREFIX)?;
    let installation = Installation {
        id: id::generate(id::INSTALLATION, now)?,
        admin_token_hash: Fingerprint::of(&admin_token).0,
        created_us: now.0,
    };
    store.insert_installation(&installation)?;
    let start = Start {
        name: DEFAULT_WORKSPACE,
        policies: &options.packs,
        agent: Some((&options.agent_name, &options.agent_environment)),
    };
    let (workspace, agent) = genesis::create(&*store, &installation.id, &seeds.ledger, now, &start)?;
    let agent = agent.ok_or_else(|| Error::internal("the first agent is missing"))?;
    Ok(Installed { workspace: workspace.name, agent_id: agent.id, agent_key: agent.key, admin_token })
}

fn key_in(data: &Path, name: &str) -> Result<[u8; 32], Error> {
    let path = data.join(name);
    if path.exists() { keyfile::load(&path) } else { keyfile::create(&path) }
}
