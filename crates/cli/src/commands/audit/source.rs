//! The ledgers of a data folder that no server is using.

use crate::args::Global;
use anyhow::{Context, anyhow, bail};
use runplane_ledger::checkpoint::origin;
use runplane_ledger::{SigningKey, VerifyingKey};
use runplane_server::install::is_initialised;
use runplane_server::keyfile;
use runplane_server::options::LEDGER_KEY;
use runplane_store::{Options, SqliteStore, Store, StoreError, Workspace};

pub struct Folder {
    pub store: SqliteStore,
    seed: [u8; 32],
}

impl Folder {
    pub fn open(global: &Global) -> anyhow::Result<Self> {
        let data = &global.data;
        if !is_initialised(data) {
            bail!(
                "`{}` holds no ledger: name the data folder with --data, or the server with --server",
                data.display()
            );
        }
        let seed = keyfile::load(&data.join(LEDGER_KEY))?;
        let store = SqliteStore::open(data, &Options::default()).map_err(|error| match error {
            StoreError::InUse(_) => anyhow!(error).context("add --server to ask the server that is running"),
            error => error.into(),
        })?;
        Ok(Self { store, seed })
    }

    /// The workspace of this name, or all of them.
    pub fn workspaces(&self, name: Option<&str>) -> anyhow::Result<Vec<Workspace>> {
        let mut workspaces = self.store.list_workspaces()?;
        if let Some(name) = name {
            workspaces.retain(|workspace| workspace.name == name);
            if workspaces.is_empty() {
                bail!("there is no workspace `{name}`");
            }
        }
        Ok(workspaces)
    }

    /// The key that signs the ledger of this workspace, made from the secret in the data folder.
    pub fn key(&self, workspace: &str) -> anyhow::Result<VerifyingKey> {
        let key = SigningKey::from_seed(&origin(workspace), &self.seed).context("the signing key cannot be used")?;
        Ok(key.verifying().clone())
    }
}
