//! What the process says when it ends.

use std::process::ExitCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Ok,
    /// Could not do what was asked for; says nothing about any action.
    Failure,
    /// The action may not run.
    Blocked,
    /// Looked, and something is wrong with what was looked at.
    Findings,
    /// The action waits for a person.
    Held,
}

impl Exit {
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failure => 1,
            Self::Blocked => 2,
            Self::Findings => 3,
            Self::Held => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
