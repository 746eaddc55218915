//! Randomness from the operating system's generator.

use crate::error::Error;

/// `N` unpredictable bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut out = [0u8; N];
    aws_lc_rs::rand::fill(&mut out).map_err(|_| Error::internal("the system's random generator failed"))?;
    Ok(out)
}
