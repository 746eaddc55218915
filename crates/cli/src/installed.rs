//! The secrets of an installation, as `init` shows them once and `dev` keeps them.
//!
//! SECURITY: only `dev` keeps them, in a file for its owner alone; a file that others can read is refused.
//! They are offered to no server but one on this machine.

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Name of the file in the data folder where `dev` keeps the keys it made.
pub const KEPT: &str = "dev-keys.json";

/// WIRE: the shape that `init --json` prints.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Keys {
    pub data_dir: PathBuf,
    pub workspace: String,
    pub agent_id: String,
    pub agent_key: String,
    pub admin_token: String,
}

pub fn path(data: &Path) -> PathBuf {
    data.join(KEPT)
}

/// Keeps the keys. Refuses to write over keys that are kept already.
pub fn keep(data: &Path, keys: &Keys) -> anyhow::Result<()> {
    let path = path(data);
    let failed = || format!("`{}` could not be written", path.display());
    let text = serde_json::to_string_pretty(keys).with_context(failed)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).with_context(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(failed)
}

/// The keys that a former `dev` kept in this data folder, if it did.
pub fn kept(data: &Path) -> anyhow::Result<Option<Keys>> {
    let path = path(data);
    let shown = path.display();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("`{shown}` could not be read")),
    };
    let mode = fs::metadata(&path).with_context(|| format!("`{shown}` could not be read"))?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!("`{shown}` holds keys and can be read by others: run `chmod 600 {shown}` and rotate the keys");
    }
    serde_json::from_str(&text)
        .map(Some)
        .with_context(|| format!("`{shown}` does not hold the keys of a `runplane dev`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys {
            data_dir: "data".into(),
            workspace: "default".into(),
            agent_id: "agt_1".into(),
            agent_key: "rpk_1".into(),
            admin_token: "rpa_1".into(),
        }
    }

    #[test]
    fn keys_are_kept_for_their_owner_alone_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        assert!(kept(folder.path()).unwrap().is_none());
        keep(folder.path(), &keys()).unwrap();
        assert_eq!(kept(folder.path()).unwrap().unwrap().admin_token, "rpa_1");
        let mode = fs::metadata(path(folder.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(keep(folder.path(), &keys()).is_err());
    }

    #[test]
    fn keys_that_others_can_read_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        keep(folder.path(), &keys()).unwrap();
        fs::set_permissions(path(folder.path()), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(kept(folder.path()).is_err());
    }
}
