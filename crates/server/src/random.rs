//! Randomness from the operating system's generator.

use crate::error::Error;
use std::cell::RefCell;

/// `N` unpredictable bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut out = [0u8; N];
    fill(&mut out)?;
    Ok(out)
}

fn fill(out: &mut [u8]) -> Result<(), Error> {
    aws_lc_rs::rand::fill(out).map_err(|_| Error::internal("the system's random generator failed"))
}

/// Bytes of one thread that were drawn together: asking the generator costs as much for one as for a thousand.
struct Stock {
    bytes: [u8; 2_048],
    /// What is left of them, at their end.
    left: usize,
}

/// The same for what is public once it is used, or dies with what it belongs to: ids, nonces, salts. Keys and secrets
/// are drawn on their own, so that no copy of them ever lies in a stock.
pub fn common_bytes<const N: usize>() -> Result<[u8; N], Error> {
    thread_local! {
        static STOCK: RefCell<Stock> = const { RefCell::new(Stock { bytes: [0; 2_048], left: 0 }) };
    }
    STOCK.with_borrow_mut(|stock| {
        if stock.left < N {
            fill(&mut stock.bytes)?;
            stock.left = stock.bytes.len();
        }
        let rest = stock.left.checked_sub(N);
        let given = rest.and_then(|rest| stock.bytes.get_mut(rest..)?.first_chunk_mut::<N>());
        let given = given.ok_or_else(|| Error::internal("more random bytes than are drawn at once"))?;
        stock.left -= N;
        // Nothing is given twice, nor kept once it was given.
        Ok(std::mem::replace(given, [0; N]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn nothing_is_given_twice_however_much_is_drawn() {
        let seen: HashSet<[u8; 36]> = (0..1_000).map(|_| common_bytes().unwrap()).collect();
        assert_eq!(seen.len(), 1_000);
        assert!(!seen.contains(&[0; 36]));
        assert!(common_bytes::<4_096>().is_err());
    }
}
