//! Settings of a workspace, targets included: read and merge-patch.

use super::body;
use super::caller::Admin;
use super::problems::{Reading, problems};
use crate::app::App;
use crate::error::{Error, Kind};
use crate::manage::settings;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

problems! {
    /// A change of settings.
    Patching: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, PayloadTooLarge, InvalidSettings,
    InvalidPolicy, AuditUnavailable, Overloaded, Internal
}

/// Describes `runplane_core::settings::Settings`; a test holds the two together.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingsView {
    /// Domains whose mail is ours: `acme.example` is only itself, `*.acme.example` all that is below it.
    internal_domains: Vec<String>,
    /// What holds for a call that no rule matched: `ALLOW`, `REQUIRE_APPROVAL` or `BLOCK`.
    default_decision: String,
    /// What is registered about targets, by name.
    targets: BTreeMap<String, TargetView>,
    limits: LimitsView,
    /// How many points the factors of risk give; absent while they are the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    risk: Option<WeightsView>,
    /// Set where nothing is stopped for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    observe: Option<ObserveView>,
}

/// Everything is decided and recorded, nothing is stopped. Containment, invalid keys and unreadable requests still are.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObserveView {
    /// RFC 3339, at most 90 days ahead: enforced from then on.
    until: String,
}

/// `docs/guide/risk.md` has the formula.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WeightsView {
    /// Share of the action's inherent risk that counts, in percent.
    action_percent: u8,
    /// Points of a target of low, normal and high sensitivity.
    sensitivity: [u8; 3],
    /// Points of development, staging, any other environment, production.
    environment: [u8; 4],
    /// Share of target and environment points that counts for a read, in percent.
    read_percent: u8,
    per_decade: u8,
    scale_most: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<ProfileWeightsView>,
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileWeightsView {
    most: u8,
    per_doubling: u8,
    per_step: u8,
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetView {
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    /// `context`: the call says truthfully which environment it acts in.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_from: Option<String>,
    /// `low`, `normal` or `high`.
    #[serde(skip_serializing_if = "Option::is_none")]
    sensitivity: Option<String>,
    /// `internal` or `external`.
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<String>,
    /// Host names that belong to the target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hosts: Vec<String>,
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitsView {
    open_approvals_per_agent: u32,
    requests_per_second_per_agent: Option<u32>,
    legacy_approval_seconds: u32,
    approval_seconds: u32,
    max_body_bytes: usize,
    max_depth: usize,
}

/// Read the settings.
#[utoipa::path(get, path = "/api/v1/settings", operation_id = "getSettings", tag = "settings",
    responses((status = 200, description = "All settings, defaults included", body = SettingsView), Reading),
    security(("adminToken" = [])))]
pub async fn get_settings(admin: Admin) -> Result<Json<Value>, Error> {
    settings::write(&admin.workspace.control().settings).map(Json)
}

/// Change settings by merge patch (RFC 7396).
///
/// What the patch does not name stays; `null` puts a member back to its default. The bundle is compiled again.
#[utoipa::path(patch, path = "/api/v1/settings", operation_id = "patchSettings", tag = "settings",
    request_body(content((Object = "application/merge-patch+json"), (Object = "application/json"))),
    responses((status = 200, description = "All settings as they are now", body = SettingsView), Patching),
    security(("adminToken" = [])))]
pub async fn patch_settings(State(app): State<Arc<App>>, admin: Admin, body: Body) -> Result<Json<Value>, Error> {
    let Value::Object(patch) = body::json(body).await? else {
        return Err(Error::new(Kind::InvalidSettings, "a merge patch of settings is a JSON object"));
    };
    let settings = settings::patch(&admin.workspace, admin.id(), patch, app.clock.now()).await?;
    settings::write(&settings).map(Json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use runplane_core::settings::Settings;

    #[test]
    fn the_description_is_the_wire_form() {
        let full = r#"{
            "internalDomains": ["acme.example"],
            "defaultDecision": "REQUIRE_APPROVAL",
            "targets": {
                "a": {"environment": "staging", "sensitivity": "high", "audience": "internal", "hosts": ["a.example"]},
                "b": {"environmentFrom": "context"}
            },
            "limits": {"requestsPerSecondPerAgent": 5},
            "observe": {"until": "2026-12-01T00:00:00Z"},
            "risk": {"perDecade": 4, "profile": {"most": 20}}
        }"#;
        let settings: Settings = serde_json::from_str(full).unwrap();
        let written = settings::write(&settings).unwrap();
        let described: SettingsView = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&described).unwrap(), written);
    }
}
