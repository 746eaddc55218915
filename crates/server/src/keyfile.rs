//! Signing keys as files: 64 hexadecimal digits, readable by the owner only, never in the database.

use crate::error::Error;
use crate::random;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Makes a new seed; refuses to overwrite an existing file.
pub fn create(path: &Path) -> Result<[u8; 32], Error> {
    let seed = random::bytes::<32>()?;
    let failed = |failure| Error::internal(format!("`{}` could not be written", path.display())).because(failure);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(format!("{}\n", hex::encode(seed)).as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(seed)
}

pub fn load(path: &Path) -> Result<[u8; 32], Error> {
    let shown = path.display();
    let failed = |failure| Error::internal(format!("`{shown}` could not be read")).because(failure);
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Error::internal(format!("`{shown}` can be read by others: run `chmod 600 {shown}`")));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let mut seed = [0u8; 32];
    hex::decode_to_slice(text.trim(), &mut seed).map_err(|failure| {
        Error::internal(format!("`{shown}` does not hold 64 hexadecimal digits")).because(failure)
    })?;
    Ok(seed)
}
