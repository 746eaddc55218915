//! The ledger for people: entries, checkpoint, export, verification; and for agents the published verification.

use super::caller::{Admin, Caller, Credentials};
use super::moment::Moment;
use super::problems::{Reading, problems};
use super::query::Query;
use crate::app::App;
use crate::error::Error;
use crate::export;
use crate::receipt;
use crate::tasks;
use crate::verification::{self, Verified};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, header};
use axum::response::{IntoResponse, Response as AxumResponse};
use runplane_ledger::Rollback;
use runplane_ledger::checkpoint::origin;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

problems! {
    /// A verification.
    Verifying: InvalidKey, Forbidden, UnknownWorkspace, StoreUnavailable, Overloaded, Internal
}
problems! {
    /// The published verification.
    AuditVerifying: InvalidKey, UnknownWorkspace, StoreUnavailable, Overloaded, Internal
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EntriesQuery {
    /// Index of the first entry.
    #[serde(default)]
    from: u64,
    /// At most 1,000; 100 if absent.
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntryView {
    index: u64,
    /// Leaf hash (RFC 6962) as stored, lower-case hex.
    leaf_hash: String,
    /// The record: exactly the bytes that were hashed.
    #[schema(value_type = Object)]
    entry: Box<RawValue>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntryList {
    entries: Vec<EntryView>,
    /// Entries of the ledger.
    size: u64,
    /// Where the next page starts.
    next: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub struct CheckpointView {
    /// Name of this ledger.
    origin: String,
    size: u64,
    /// Root hash, lower-case hex.
    root: String,
    /// The signed note (C2SP tlog-checkpoint).
    checkpoint: String,
    /// The key that verifies it, as C2SP text.
    key: String,
}

/// Whether the ledger is what was signed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    valid: bool,
    /// Index of the first bad entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_at: Option<u64>,
    /// What is wrong there.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// Entries of the ledger.
    chain_length: u64,
    /// Entries that are exactly what was signed.
    checked_to: u64,
    /// Since when the ledger was read for this answer: a small one just now, a large one in the background.
    read_since: Moment,
    /// `not excluded`: from the log alone nobody can tell that it is not an older copy of itself.
    rollback: String,
}

/// The published form of the verification.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditVerification {
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_at: Option<String>,
    chain_length: u64,
}

impl From<Verified> for Verification {
    fn from(Verified { report, size, read_since }: Verified) -> Self {
        Self {
            valid: report.valid,
            broken_at: report.first_bad.as_ref().map(|fault| fault.index),
            problem: report.first_bad.as_ref().map(ToString::to_string),
            chain_length: size,
            checked_to: report.proven,
            read_since: Moment(read_since),
            rollback: match report.rollback {
                Rollback::NotExcluded => "not excluded".to_owned(),
                excluded @ Rollback::ExcludedUpTo(_) => excluded.to_string(),
            },
        }
    }
}

/// Read entries of the ledger.
#[utoipa::path(get, path = "/api/v1/ledger/entries", operation_id = "listEntries", tag = "ledger",
    params(EntriesQuery),
    responses((status = 200, description = "In the order of the ledger", body = EntryList), Reading),
    security(("adminToken" = [])))]
pub async fn list_entries(admin: Admin, Query(query): Query<EntriesQuery>) -> Result<Json<EntryList>, Error> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
    let size = admin.workspace.published.head.load().size;
    let workspace = Arc::clone(&admin.workspace);
    let rows = tasks::blocking(move || Ok(workspace.store.read_entries(&workspace.id, query.from, limit)?)).await?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows.into_iter().filter(|row| row.index < size) {
        let unreadable = || Error::internal(format!("entry {} is no JSON text: verify the ledger", row.index));
        let text = String::from_utf8(row.bytes).map_err(|_| unreadable())?;
        let entry = RawValue::from_string(text).map_err(|_| unreadable())?;
        entries.push(EntryView { index: row.index, leaf_hash: hex::encode(row.leaf_hash), entry });
    }
    let next = entries.last().map(|last| last.index + 1).filter(|next| *next < size);
    Ok(Json(EntryList { entries, size, next }))
}

/// The newest signed checkpoint.
#[utoipa::path(get, path = "/api/v1/ledger/checkpoint", operation_id = "getCheckpoint", tag = "ledger",
    responses((status = 200, description = "Size and root, signed", body = CheckpointView), Reading),
    security(("adminToken" = [])))]
pub async fn get_checkpoint(admin: Admin) -> Json<CheckpointView> {
    let head = admin.workspace.published.head.load();
    Json(CheckpointView {
        origin: origin(&admin.workspace.id),
        size: head.size,
        root: hex::encode(head.root),
        checkpoint: head.checkpoint.clone(),
        key: admin.workspace.verifying_key().to_string(),
    })
}

/// The proof that one entry is on the ledger, to be checked by anybody who has the key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProofView {
    /// Version of this form.
    receipt: u8,
    index: u64,
    size: u64,
    /// SHA-256 over a zero byte and the entry (RFC 6962), lower-case hex.
    leaf_hash: String,
    /// The record: exactly the text that was hashed.
    entry: String,
    /// Hashes from the leaf to the root (RFC 6962 §2.1.1), lower-case hex.
    proof: Vec<String>,
    root: String,
    /// Name of this ledger.
    origin: String,
    /// The signed note over `size` and `root` (C2SP tlog-checkpoint).
    checkpoint: String,
    /// The key that verifies it, as C2SP text.
    key: String,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProofQuery {
    /// Size of an earlier checkpoint; the newest if absent.
    size: Option<u64>,
    /// `1` names a file to save it in.
    download: Option<u8>,
}

problems! {
    /// A question for a proof.
    Proving: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, UnknownEntry, StoreUnavailable, Internal
}

/// Prove that an entry is on the ledger. Saved as a file it is the receipt of that entry.
#[utoipa::path(get, path = "/api/v1/ledger/proof/{index}", operation_id = "getProof", tag = "ledger",
    params(("index" = u64, Path, description = "Index of the entry"), ProofQuery),
    responses((status = 200, description = "Entry, audit path and signed checkpoint", body = ProofView), Proving),
    security(("adminToken" = [])))]
pub async fn get_proof(
    admin: Admin,
    Path(index): Path<u64>,
    Query(query): Query<ProofQuery>,
) -> Result<AxumResponse, Error> {
    let (workspace, size) = (Arc::clone(&admin.workspace), query.size);
    let proof = tasks::blocking(move || receipt::prove(&workspace, index, size)).await?;
    let entry = String::from_utf8(proof.entry.bytes)
        .map_err(|_| Error::internal(format!("entry {index} is no JSON text: verify the ledger")))?;
    let view = ProofView {
        receipt: runplane_ledger::receipt::VERSION,
        index,
        size: proof.size,
        leaf_hash: hex::encode(proof.entry.leaf_hash),
        entry,
        proof: proof.path.iter().map(|hash| hex::encode(hash.to_bytes())).collect(),
        root: hex::encode(proof.root),
        origin: origin(&admin.workspace.id),
        checkpoint: proof.checkpoint,
        key: admin.workspace.verifying_key().to_string(),
    };
    let mut response = Json(view).into_response();
    if query.download == Some(1) {
        let name = format!("attachment; filename=\"{}-{index}.receipt.json\"", admin.workspace.name);
        let value = HeaderValue::from_str(&name).unwrap_or_else(|_| HeaderValue::from_static("attachment"));
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// The whole ledger as newline-delimited JSON, to be verified anywhere.
#[utoipa::path(get, path = "/api/v1/ledger/export", operation_id = "exportLedger", tag = "ledger",
    responses(
        (status = 200, description = "A header, then entries and checkpoints in order", body = String,
         content_type = "application/x-ndjson"),
        Reading
    ),
    security(("adminToken" = [])))]
pub async fn get_export(
    State(app): State<Arc<App>>,
    admin: Admin,
    credentials: Credentials,
) -> Result<Response<Body>, Error> {
    let name = format!("attachment; filename=\"{}.ndjson\"", admin.workspace.name);
    // Asked from a thread that may block.
    let runtime = tokio::runtime::Handle::current();
    let still_allowed = move || runtime.block_on(credentials.still_a_person(&app));
    let mut response = Response::new(export::stream(admin.workspace, still_allowed));
    let set = response.headers_mut();
    set.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    set.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_str(&name).unwrap_or_else(|_| HeaderValue::from_static("attachment")),
    );
    Ok(response)
}

/// Whether the ledger is what was signed.
#[utoipa::path(get, path = "/api/v1/ledger/verify", operation_id = "verifyLedger", tag = "ledger",
    responses((status = 200, description = "The result, valid or not", body = Verification), Verifying),
    security(("adminToken" = [])))]
pub async fn get_verify(admin: Admin) -> Result<Json<Verification>, Error> {
    verify(admin.workspace).await.map(|verified| Json(verified.into()))
}

/// Whether the ledger of the key's workspace is what was signed (published form).
#[utoipa::path(get, path = "/api/audit/verify", operation_id = "verifyAuditChain", tag = "ledger",
    responses((status = 200, description = "The result, valid or not", body = AuditVerification), AuditVerifying),
    security(("agentKey" = []), ("adminToken" = [])))]
pub async fn get_audit_verify(caller: Caller) -> Result<Json<AuditVerification>, Error> {
    let Verified { report, size, .. } = verify(Arc::clone(caller.workspace())).await?;
    Ok(Json(AuditVerification {
        valid: report.valid,
        broken_at: report.first_bad.map(|fault| fault.index.to_string()),
        chain_length: size,
    }))
}

async fn verify(workspace: Arc<crate::workspace::Workspace>) -> Result<Verified, Error> {
    tasks::blocking(move || verification::verify(&workspace)).await
}
