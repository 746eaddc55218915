//! Passwords: what is refused as one, and their slow hashes.
//!
//! Argon2id, version 19, 19 MiB, two passes, one lane (the first choice of OWASP's cheat sheet); a few at a time, off
//! the request threads, so that signing in can neither fill the memory nor slow a decision.

use crate::error::{Error, Kind};
use crate::random;
use crate::tasks;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use std::time::Duration;
use tokio::sync::Semaphore;

pub const SHORTEST: usize = 12;
pub const LONGEST: usize = 256;
/// Hashes computed at the same time.
const AT_ONCE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(10);

/// Long enough to pass, and tried first by everybody who guesses.
const COMMON: &[&str] = &[
    "123456789012",
    "1234567890123",
    "password1234",
    "passwordpassword",
    "qwertyuiop123",
    "qwertyuiop[]",
    "iloveyou1234",
    "administrator",
    "letmeinletmein",
    "welcome12345",
    "changeme1234",
    "correcthorsebatterystaple",
    "runplanerunplane",
];

/// Computes hashes, few at a time.
pub struct Passwords {
    turns: Semaphore,
    /// Verified against where there is no password, so that it takes as long as where there is one.
    nobody: tokio::sync::OnceCell<String>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Semaphore::new(AT_ONCE), nobody: tokio::sync::OnceCell::new() }
    }
}

impl Passwords {
    /// The PHC text of a new password.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        let _turn = self.turn().await?;
        tasks::blocking(move || hash(&password)).await
    }

    /// Whether it is the password; takes as long when there is none.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, Error> {
        let _turn = self.turn().await?;
        let nobody = self.nobody.get_or_try_init(|| tasks::blocking(|| hash("somebody who is not there"))).await?;
        let (known, against) = (stored.is_some(), stored.unwrap_or_else(|| nobody.clone()));
        tasks::blocking(move || {
            let hash = PasswordHash::new(&against)
                .map_err(|failure| Error::internal(format!("a stored password cannot be read: {failure}")))?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && known)
        })
        .await
    }

    async fn turn(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Error> {
        match tokio::time::timeout(PATIENCE, self.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Error::new(Kind::Overloaded, "too many people are signing in at once")),
        }
    }
}

fn hash(password: &str) -> Result<String, Error> {
    let salt = random::bytes::<16>()?;
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|failure| Error::internal(format!("a password could not be hashed: {failure}")))?;
    Ok(hash.to_string())
}

/// Refuses what would be guessed first. Length is what counts; no rules about kinds of characters.
pub fn check_strength(password: &str, username: &str) -> Result<(), Error> {
    let refused = |why: &str| Err(Error::new(Kind::WeakPassword, why));
    let length = password.chars().count();
    if length < SHORTEST {
        return refused(&format!("a password has at least {SHORTEST} characters"));
    }
    if password.len() > LONGEST {
        return refused(&format!("a password has at most {LONGEST} bytes"));
    }
    let folded = password.to_lowercase();
    if username.len() >= 3 && folded.contains(&username.to_lowercase()) {
        return refused("a password does not contain the username");
    }
    let mut characters: Vec<char> = folded.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    if characters.len() < 4 {
        return refused("a password has more than a few different characters");
    }
    if COMMON.contains(&folded.as_str()) {
        return refused("this password is among those that are guessed first");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_kept_as_a_slow_salted_hash() {
        let passwords = Passwords::default();
        let first = passwords.hash("a good long one".into()).await.unwrap();
        let second = passwords.hash("a good long one".into()).await.unwrap();
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
        assert_ne!(first, second, "salted");
        assert!(passwords.verify("a good long one".into(), Some(first.clone())).await.unwrap());
        assert!(!passwords.verify("a good long One".into(), Some(first)).await.unwrap());
        assert!(!passwords.verify("somebody who is not there".into(), None).await.unwrap());
    }

    #[test]
    fn what_is_guessed_first_is_refused() {
        for weak in
            ["short", "aaaaaaaaaaaaaa", "abababababab", "my-ADA-lovelace", "passwordpassword", &"x1y2".repeat(65)]
        {
            assert_eq!(check_strength(weak, "ada").unwrap_err().kind, Kind::WeakPassword, "{weak}");
        }
        check_strength("a row of plain words", "ada").unwrap();
    }
}
