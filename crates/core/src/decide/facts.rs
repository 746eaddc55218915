//! The state a decision depends on, as it is read in log order and kept on the record.

use crate::approval::Evidence;
use crate::containment::Hit;
use crate::meter::MeterValue;
use crate::profile::Usual;
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// Everything beside the call and the bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The call's time in the log.
    pub now: Micros,
    /// In the order of `Prepared::meter_keys`; a missing one counts as not read. When an approval is
    /// redeemed, its own reservation is left out.
    #[serde(default)]
    pub meters: Vec<MeterValue>,
    /// The containment switch that catches the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub containment: Option<Hit>,
    /// The approval this call redeems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Evidence>,
    /// Open approvals of the asking agent.
    #[serde(default)]
    pub open_approvals: u32,
    /// What is usual for the asking agent; risk has no factor for it without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<Usual>,
}
