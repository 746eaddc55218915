//! The data folder: who may read it, and that only one process uses it.
//!
//! A folder made here is for its owner alone; one that exists keeps its mode, since it is its owner's
//! business. The files in it are for their owner alone in any case.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use super::errors::unavailable;
use crate::error::StoreError;

const LOCK: &str = "runplane.lock";

/// That this process, and no other, uses the folder.
pub(super) struct Claim(File);

impl Drop for Claim {
    /// Unlocks in so many words: closing alone leaves the lock to a process that was being started just
    /// then and holds a copy of the file.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the data folder stays locked until this process ends");
        }
    }
}

/// Makes the folder if need be and claims it.
pub(super) fn claim(folder: &Path) -> Result<Claim, StoreError> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !path.exists()).collect();
    make(folder).map_err(|error| named(folder, &error))?;
    for made in missing {
        sync(made.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    }
    let path = folder.join(LOCK);
    let lock = private(&path).map_err(|error| named(&path, &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(Claim(lock)),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(folder.display().to_string())),
        Err(TryLockError::Error(error)) => Err(named(&path, &error)),
    }
}

/// Makes the file, empty, if it is not there, and in any case readable by its owner only. SQLite gives
/// its log and its shared memory the same mode.
pub(super) fn prepare(path: &Path) -> Result<(), StoreError> {
    private(path).map(drop).map_err(|error| named(path, &error))
}

/// Makes the names in the folder as durable as the files.
pub(super) fn sync(folder: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| named(folder, &error))?;
    Ok(())
}

fn named(path: &Path, error: &io::Error) -> StoreError {
    unavailable(format_args!("`{}`: {error}", path.display()))
}

#[cfg(unix)]
fn make(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

#[cfg(not(unix))]
fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}
