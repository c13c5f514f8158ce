//! The passwords of people: argon2id, away from the tasks that serve stations, and only a few at once.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use super::AccessError;

/// Hashes that are made or compared at once; each takes 19 MiB.
const AT_ONCE: usize = 2;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// Fewest characters of a password.
const MIN_PASSWORD: usize = 10;
/// Most characters of a password.
const MAX_PASSWORD: usize = 200;

/// Makes and compares hashes of passwords.
#[derive(Debug, Clone)]
pub(super) struct Hashing {
    turns: Arc<Semaphore>,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Hashing {
    /// What is kept of a password.
    pub(super) async fn hash(&self, password: &str) -> Result<String, AccessError> {
        check(password)?;
        let password = password.to_owned();
        self.run(move || hash(&password)).await?.ok_or(AccessError::Hashing)
    }

    /// Whether this is the password of an account. Without an account it takes as long, so that the time does not tell who has one.
    pub(super) async fn verify(&self, password: &str, kept: Option<&str>) -> Result<bool, AccessError> {
        static NOBODY: OnceLock<Option<String>> = OnceLock::new();
        if password.chars().count() > MAX_PASSWORD {
            return Ok(false);
        }
        let (password, kept) = (password.to_owned(), kept.map(str::to_owned));
        self.run(move || {
            let is_known = kept.is_some();
            let against = kept.or_else(|| NOBODY.get_or_init(|| hash("the password of nobody")).clone());
            let matches = against.is_some_and(|against| {
                PasswordHash::new(&against)
                    .is_ok_and(|against| Argon2::default().verify_password(password.as_bytes(), &against).is_ok())
            });
            matches && is_known
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AccessError> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(AccessError::Busy) };
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| AccessError::Hashing)
    }
}

fn hash(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

fn check(password: &str) -> Result<(), AccessError> {
    let length = password.chars().count();
    if (MIN_PASSWORD..=MAX_PASSWORD).contains(&length) { Ok(()) } else { Err(AccessError::WeakPassword) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_itself_is_verified() {
        let hashing = Hashing::default();
        let kept = hashing.hash("correct horse battery").await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$"), "{kept}");
        assert!(hashing.verify("correct horse battery", Some(&kept)).await.unwrap());
        assert!(!hashing.verify("correct horse batterz", Some(&kept)).await.unwrap());
        assert!(!hashing.verify("the password of nobody", None).await.unwrap());
        assert!(!hashing.verify("correct horse battery", Some("no hash")).await.unwrap());
    }

    #[tokio::test]
    async fn a_password_is_neither_short_nor_endless() {
        let hashing = Hashing::default();
        for password in ["", "ninechars", "x".repeat(201).as_str()] {
            assert!(matches!(hashing.hash(password).await, Err(AccessError::WeakPassword)));
        }
        assert!(!hashing.verify(&"x".repeat(100_000), None).await.unwrap());
    }

    #[tokio::test]
    async fn no_more_than_a_few_are_hashed_at_once() {
        let hashing = Hashing::default();
        let _all = Arc::clone(&hashing.turns).acquire_many_owned(AT_ONCE as u32).await.unwrap();
        let waits = tokio::time::timeout(Duration::from_millis(50), hashing.verify("password", None)).await;
        assert!(waits.is_err(), "it waits for its turn");
    }
}
