//! Signing keys as files: 64 hexadecimal digits, readable by the owner only, never in the database.
//!
//! One exception, as PostgreSQL makes it for its own: a file that belongs to root may be readable by the group of a server
//! that is not root. That is how a cluster manager mounts a secret for an ordinary user.

use crate::error::Error;
use crate::random;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
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

const ROOT: u32 = 0;

/// Whether a file of this mode and owner is for the eyes of a process of this user only.
fn is_private(mode: u32, owner: u32, process: u32) -> bool {
    let is_mounted = owner == ROOT && process != ROOT;
    mode & if is_mounted { 0o037 } else { 0o077 } == 0
}

pub fn load(path: &Path) -> Result<[u8; 32], Error> {
    let shown = path.display();
    let failed = |failure| Error::internal(format!("`{shown}` could not be read")).because(failure);
    let file = fs::metadata(path).map_err(failed)?;
    let own = fs::metadata("/proc/self").map_or(ROOT, |process| process.uid());
    if !is_private(file.permissions().mode(), file.uid(), own) {
        return Err(Error::internal(format!("`{shown}` can be read by others: run `chmod 600 {shown}`")));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let mut seed = [0u8; 32];
    hex::decode_to_slice(text.trim(), &mut seed).map_err(|failure| {
        Error::internal(format!("`{shown}` does not hold 64 hexadecimal digits")).because(failure)
    })?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_roots_own_file_may_be_read_by_a_group() {
        for mode in [0o600, 0o400] {
            assert!(is_private(mode, 65_532, 65_532) && is_private(mode, ROOT, 65_532) && is_private(mode, ROOT, ROOT));
        }
        assert!(is_private(0o440, ROOT, 65_532), "as a secret is mounted");
        assert!(!is_private(0o440, 65_532, 65_532), "the owner's group");
        assert!(!is_private(0o440, ROOT, ROOT), "whoever runs as root needs no group");
        assert!(!is_private(0o440, 1_000, 65_532), "somebody else's");
        for mode in [0o660, 0o444, 0o404, 0o640 | 0o010] {
            assert!(!is_private(mode, ROOT, 65_532), "{mode:o}");
        }
    }
}
