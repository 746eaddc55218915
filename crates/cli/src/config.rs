//! The environment, read here and nowhere else in the command line (arguments with a variable aside).

/// A secret from the environment; an empty one is none.
#[allow(clippy::disallowed_methods)] // this is the place the ban points to
pub fn secret(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

pub const API_KEY: &str = "RUNPLANE_API_KEY";
pub const ADMIN_TOKEN: &str = "RUNPLANE_ADMIN_TOKEN";
