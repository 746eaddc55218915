//! The ledgers of a data folder that no server is using.

use crate::args::Global;
use anyhow::{Context, anyhow, bail};
use runplane_ledger::checkpoint::origin;
use runplane_ledger::{SigningKey, VerifyingKey};
use runplane_store::{Store, StoreError, Workspace};
use std::sync::Arc;

pub struct Folder {
    pub store: Arc<dyn Store>,
    seed: [u8; 32],
}

impl Folder {
    pub fn open(global: &Global) -> anyhow::Result<Self> {
        let place = global.place()?;
        if !place.is_initialised()? {
            bail!(
                "`{}` holds no ledger: name the data folder with --data, a shared database with --database, or the \
                 server with --server",
                place.name()
            );
        }
        let seed = place.seeds()?.ledger;
        let store = place.open().map_err(|error| match error {
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
