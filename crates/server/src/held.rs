//! A held action as the server keeps it: the approval, and what it takes to give back or to run the action.

use crate::error::Error;
use runplane_core::approval::Approval;
use runplane_core::meter::Charge;
use runplane_core::time::Micros;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    pub approval: Approval,
    /// The entry that held the action; its payload is the action.
    pub index: u64,
    /// The entry of the decision made when it was redeemed.
    pub redeemed_index: Option<u64>,
    /// What the hold counts against limits while it is open.
    pub charges: Vec<Charge>,
    /// The meter time of those charges.
    pub charged_at: Micros,
    /// Asked for by a client without `Runplane-Client`: polling redeems, and `expired` is never said.
    pub wire_client: bool,
}

impl Held {
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes)
            .map_err(|failure| Error::internal("a stored approval could not be read").because(failure))
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.approval.id
    }

    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.approval.state.is_final()
    }
}
