//! Looking at policies: mistakes in them, what they say of a call, how a document is written.
//!
//! Nothing here records, charges or changes anything.

use super::body;
use super::caller::{Admin, Caller};
use super::policies::FindingView;
use super::problems::{Reading, problems};
use crate::app::App;
use crate::error::{Error, Kind};
use crate::manage::policies::{self, Linted};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use runplane_core::catalogue::Catalogue;
use runplane_core::policy::{lint, schema};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, LazyLock};
use utoipa::ToSchema;

problems! {
    /// A look at a document.
    Looking: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, PayloadTooLarge, Internal
}

/// A document to look at; without `yaml`, the policies in force.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyDraft {
    #[serde(default)]
    yaml: Option<String>,
}

/// Mistakes in policies that would publish.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyLinted {
    /// Whether it would publish; if not, `errors` says why and nothing else was looked at.
    valid: bool,
    errors: Vec<FindingView>,
    warnings: Vec<FindingView>,
    findings: Vec<LintFindingView>,
}

/// A mistake, with a call that shows it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LintFindingView {
    /// One of `unreachable`, `shadowed`, `contradiction`, `never_by_type`, `always_true_unless`, `unknown_group`,
    /// `unknown_field`, `narrower_than_allow`, `opens_default`, `duplicate`, `unused_meter`, `unbinding_limit`,
    /// `empty_glob`, `unsatisfiable_quorum`.
    kind: String,
    file: String,
    /// From 1.
    line: u32,
    /// From 1, in characters.
    column: u32,
    /// The rule it is about first, then those it is compared with.
    rules: Vec<String>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<LintExample>,
}

/// A call that was decided with the rule and without it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LintExample {
    /// As it is sent to be guarded.
    #[schema(value_type = Object)]
    call: serde_json::Value,
    /// Who asks; absent, a production agent without labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<LintAgent>,
    /// The decision: `ALLOW`, `REQUIRE_APPROVAL` or `BLOCK`.
    outcome: String,
    /// The same with the rule left out.
    without: String,
    /// What the decisions say, in a sentence.
    shows: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LintAgent {
    environment: String,
    labels: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

impl From<lint::Example> for LintExample {
    fn from(example: lint::Example) -> Self {
        Self {
            call: example.call,
            agent: example.agent.map(|agent| LintAgent {
                environment: agent.environment,
                labels: agent.labels,
                source: agent.source,
            }),
            outcome: example.outcome.to_string(),
            without: example.without.to_string(),
            shows: example.shows,
        }
    }
}

impl From<lint::Finding> for LintFindingView {
    fn from(finding: lint::Finding) -> Self {
        Self {
            kind: finding.kind.as_str().to_owned(),
            file: finding.file,
            line: finding.line,
            column: finding.column,
            rules: finding.rules.iter().map(ToString::to_string).collect(),
            message: finding.message,
            help: finding.help,
            example: finding.example.map(LintExample::from),
        }
    }
}

/// Look for mistakes in a policy.
///
/// Compiled as a publish would, together with the other policies of the workspace; the findings are those about the
/// document. `{}` looks at all policies in force. Each finding is proved over everything a call can be, or was seen in
/// decisions on its example.
#[utoipa::path(post, path = "/api/v1/policies/lint", operation_id = "lintPolicy", tag = "policies",
    request_body(content((String = "application/yaml"), (PolicyDraft = "application/json"))),
    responses((status = 200, description = "What is wrong with it", body = PolicyLinted), Looking),
    security(("adminToken" = [])))]
pub async fn lint_policy(
    State(app): State<Arc<App>>,
    admin: Admin,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<PolicyLinted>, Error> {
    let yaml = read_draft(&headers, body).await?;
    let Linted { errors, warnings, findings } = policies::lint(&admin.workspace, yaml, app.clock.now()).await?;
    Ok(Json(PolicyLinted {
        valid: errors.is_empty(),
        errors: errors.into_iter().map(FindingView::from).collect(),
        warnings: warnings.into_iter().map(FindingView::from).collect(),
        findings: findings.into_iter().map(LintFindingView::from).collect(),
    }))
}

/// Describe how a policy is written.
///
/// JSON Schema (2020-12), with the action types of the catalogue for completion in editors.
#[utoipa::path(get, path = "/api/v1/policies/schema", operation_id = "getPolicySchema", tag = "policies",
    responses((status = 200, description = "The schema", body = Object, content_type = "application/schema+json"),
              Reading),
    security(("agentKey" = []), ("adminToken" = [])))]
pub async fn get_schema(_: Caller) -> ([(HeaderName, &'static str); 1], &'static str) {
    static TEXT: LazyLock<String> = LazyLock::new(|| schema::text(&Catalogue::builtin()));
    ([(header::CONTENT_TYPE, "application/schema+json")], TEXT.as_str())
}

async fn read_draft(headers: &HeaderMap, body: Body) -> Result<Option<String>, Error> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.contains("json") {
        return Ok(body::json::<PolicyDraft>(body).await?.yaml);
    }
    let bytes = body::bytes(body).await?;
    let text = String::from_utf8(bytes.to_vec());
    text.map(Some).map_err(|_| Error::new(Kind::InvalidRequest, "the body is not UTF-8 text"))
}
