//! New workspaces: each with a ledger, policies and agents of its own.

use super::genesis::{self, Start};
use crate::app::App;
use crate::error::Error;
use crate::tasks;
use runplane_core::packs;
use runplane_store::Workspace;
use std::sync::Arc;

/// Creates a workspace with the policies a new installation has, and starts deciding for it.
pub async fn create(app: &Arc<App>, name: String) -> Result<Workspace, Error> {
    let app = Arc::clone(app);
    tasks::blocking(move || {
        let policies: Vec<(String, String)> =
            packs::ALL.iter().map(|pack| (pack.name.to_owned(), pack.source.to_owned())).collect();
        let start = Start { name: &name, policies: &policies, agent: None };
        let (workspace, _) =
            genesis::create(&*app.store, &app.installation.id, app.ledger_seed(), app.clock.now(), &start)?;
        app.open_workspace(&workspace.id)?;
        Ok(workspace)
    })
    .await
}

/// In the order of their creation.
pub async fn list(app: &Arc<App>) -> Result<Vec<Workspace>, Error> {
    let store = Arc::clone(&app.store);
    tasks::blocking(move || Ok(store.list_workspaces()?)).await
}
